# orlop_library(NAME DEPS ... LINK ... [STATIC_SAFE]) makes the library of one module directory:
# every *.cpp in it but *_test.cpp, and a GoogleTest binary NAME_tests of the *_test.cpp files.
#
#   DEPS         modules of ours; checked against the allowed directions of docs/ARCHITECTURE.md
#   LINK         third-party targets
#   TEST_LINK    further targets for the test binary only
#
# The table is the architecture: a module may link only what its row names.
set(ORLOP_ALLOW_orlop_base "")
set(ORLOP_ALLOW_orlop_log orlop_base)
set(ORLOP_ALLOW_orlop_cgroups orlop_base)
set(ORLOP_ALLOW_orlop_cgroups_systemd orlop_base orlop_cgroups)
set(ORLOP_ALLOW_orlop_netns orlop_base)
set(ORLOP_ALLOW_orlop_images orlop_base)
set(ORLOP_ALLOW_orlop_registry orlop_base orlop_images)
set(ORLOP_ALLOW_orlop_probes orlop_base)
set(ORLOP_ALLOW_orlop_kube orlop_base)
set(ORLOP_ALLOW_orlop_launch orlop_base)
set(ORLOP_ALLOW_orlop_shim_protocol orlop_base orlop_launch)
set(ORLOP_ALLOW_orlop_shim_core orlop_base orlop_cgroups orlop_launch orlop_shim_protocol)
set(ORLOP_ALLOW_orlop_seccomp orlop_base orlop_launch)
set(ORLOP_ALLOW_orlop_plan orlop_base orlop_cgroups orlop_launch orlop_seccomp orlop_images orlop_cri_proto)
set(ORLOP_ALLOW_orlop_spdy orlop_base)
set(ORLOP_ALLOW_orlop_streaming orlop_base orlop_spdy)
set(ORLOP_ALLOW_orlop_oci_spec orlop_base orlop_cgroups orlop_launch)
set(ORLOP_ALLOW_orlop_oci_core orlop_base orlop_cgroups orlop_launch orlop_seccomp orlop_oci_spec)
set(ORLOP_ALLOW_orlop_runtime_core orlop_base orlop_log orlop_cgroups orlop_cgroups_systemd orlop_netns
  orlop_images orlop_registry orlop_launch orlop_shim_protocol orlop_plan orlop_streaming orlop_cri_proto
  orlop_node_proto)
set(ORLOP_ALLOW_orlop_agent_core orlop_base orlop_log orlop_kube orlop_probes orlop_cgroups
  orlop_cgroups_systemd orlop_cri_proto)
set(ORLOP_ALLOW_orlop_cli_core orlop_base orlop_log orlop_kube orlop_cri_proto orlop_node_proto)

function(orlop_check_directions name)
  if(NOT DEFINED ORLOP_ALLOW_${name})
    message(FATAL_ERROR "${name} has no row in cmake/OrlopModules.cmake: say what it may depend on")
  endif()
  foreach(dep IN LISTS ARGN)
    if(NOT dep IN_LIST ORLOP_ALLOW_${name})
      message(FATAL_ERROR "${name} may not depend on ${dep} (docs/ARCHITECTURE.md, allowed directions)")
    endif()
  endforeach()
endfunction()

function(orlop_library name)
  cmake_parse_arguments(A "" "" "DEPS;LINK;TEST_LINK;SOURCES" ${ARGN})
  orlop_check_directions(${name} ${A_DEPS})
  if(A_SOURCES)
    set(files ${A_SOURCES})
  else()
    file(GLOB files CONFIGURE_DEPENDS *.cpp)
  endif()
  set(tests ${files})
  list(FILTER files EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER files EXCLUDE REGEX "/main\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  add_library(${name} STATIC ${files})
  target_link_libraries(${name} PUBLIC orlop_flags ${A_DEPS} ${A_LINK})
  if(ORLOP_TESTS AND tests)
    orlop_test(${name}_tests SOURCES ${tests} LINK ${name} ${A_TEST_LINK})
  endif()
endfunction()

# One ctest entry a binary: GoogleTest's own output counts what ran, failed and was skipped.
function(orlop_test name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE orlop_flags ${A_LINK} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120
    ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp")
endfunction()

# Compiler settings that every target of ours shares; third-party headers are system headers.

find_program(ORLOP_CCACHE ccache)
if(ORLOP_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${ORLOP_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ORLOP_CCACHE})
endif()

add_library(orlop_flags INTERFACE)
target_compile_options(orlop_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-missing-field-initializers
  # gcc 12 at -O2 takes "text" + std::string for an overlapping copy.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # ... and an empty std::optional for one that is read
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-maybe-uninitialized>
  $<$<BOOL:${ORLOP_WERROR}>:-Werror>
  $<$<NOT:$<CONFIG:Release>>:-g1>)
target_compile_definitions(orlop_flags INTERFACE
  _GNU_SOURCE ORLOP_VERSION="${PROJECT_VERSION}")
target_include_directories(orlop_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)

if(ORLOP_SANITIZE)
  add_compile_options(-fsanitize=${ORLOP_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ORLOP_SANITIZE})
  # gcc 12 takes instrumented std::function moves (in <regex>) for reads of nothing.
  target_compile_options(orlop_flags INTERFACE -Wno-maybe-uninitialized)
endif()

#include "runtime/streaming/status.h"

#include <nlohmann/json.hpp>

namespace orlop::streaming {

namespace {

using Json = nlohmann::json;

bool is_success(const Result<std::optional<int32_t>>& exit) {
    return exit && exit->value_or(0) == 0;
}

}  // namespace

std::string status_text(const Result<std::optional<int32_t>>& exit) {
    if (!exit) return "Internal error occurred: error executing command in container: " + exit.error().what();
    if (is_success(exit)) return "";
    return "command terminated with non-zero exit code: " + std::to_string(**exit);
}

std::string status_json(const Result<std::optional<int32_t>>& exit) {
    Json status = {{"metadata", Json::object()}, {"status", is_success(exit) ? "Success" : "Failure"}};
    if (!is_success(exit)) status["message"] = status_text(exit);
    if (!exit) {
        status["reason"] = "InternalError";
        status["details"] = {{"causes", {{{"message", exit.error().what()}}}}};
        status["code"] = 500;
    } else if (!is_success(exit)) {
        status["reason"] = "NonZeroExitCode";
        status["details"] = {{"causes", {{{"reason", "ExitCode"}, {"message", std::to_string(**exit)}}}}};
    }
    // The message of an error may hold what a container wrote.
    return status.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace orlop::streaming

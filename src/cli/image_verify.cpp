#include <cstdio>

#include "cli/commands.h"
#include "cli/cri_client.h"
#include "cli/table.h"

namespace orlop::cli {

Result<int> image_verify(const Common& common) {
    const CriClient client = TRY(CriClient::connect(common.runtime_endpoint(), std::chrono::seconds(2)));
    const auto answer = TRY(
        call(client.node_images(), &v1::Images::Stub::Verify, v1::VerifyRequest(), std::chrono::hours(1)));
    for (const std::string& problem : answer.problems()) std::printf("%s\n", printable(problem).c_str());
    std::printf("%llu images, %llu layers: %s\n", static_cast<unsigned long long>(answer.images()),
                static_cast<unsigned long long>(answer.layers()),
                answer.problems().empty() ? "all well" : "damaged");
    return answer.problems().empty() ? 0 : 1;
}

}  // namespace orlop::cli

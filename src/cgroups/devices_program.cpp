#include "cgroups/devices_program.h"

namespace orlop::cgroups {

namespace {

bpf_insn instruction(int code, int dst, int src, int off, int imm) {
    bpf_insn out{};
    out.code = static_cast<__u8>(code);
    out.dst_reg = static_cast<__u8>(dst & 15);
    out.src_reg = static_cast<__u8>(src & 15);
    out.off = static_cast<__s16>(off);
    out.imm = imm;
    return out;
}

Result<int> access_bits(const DeviceRule& rule) {
    int bits = 0;
    for (const char c : rule.access) {
        if (c == 'r') {
            bits |= BPF_DEVCG_ACC_READ;
        } else if (c == 'w') {
            bits |= BPF_DEVCG_ACC_WRITE;
        } else if (c == 'm') {
            bits |= BPF_DEVCG_ACC_MKNOD;
        } else {
            return Error::invalid("device access \"" + rule.access + "\" has other letters than r, w, m");
        }
    }
    return bits;
}

constexpr int kAllAccess = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD;

// r2 = device type, r3 = access, r4 = major, r5 = minor. Each test jumps over the rule's end when it does not
// match.
Result<std::vector<bpf_insn>> rule_code(const DeviceRule& rule) {
    std::vector<bpf_insn> tests;
    const auto skip_unless_equal = [&tests](int reg, int64_t value) {
        tests.push_back(instruction(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, static_cast<int>(value)));
    };
    if (rule.type == 'b') {
        skip_unless_equal(BPF_REG_2, BPF_DEVCG_DEV_BLOCK);
    } else if (rule.type == 'c') {
        skip_unless_equal(BPF_REG_2, BPF_DEVCG_DEV_CHAR);
    } else if (rule.type != 'a') {
        return Error::invalid(std::string("device type \"") + rule.type + "\" is none of a, b, c");
    }
    const int bits = TRY(access_bits(rule));
    if (bits != kAllAccess) {
        // All bits that are asked for must be among the rule's.
        tests.push_back(instruction(BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0));
        tests.push_back(instruction(BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0, bits));
        tests.push_back(instruction(BPF_JMP32 | BPF_JNE | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0));
    }
    if (rule.major >= 0) skip_unless_equal(BPF_REG_4, rule.major);
    if (rule.minor >= 0) skip_unless_equal(BPF_REG_5, rule.minor);
    tests.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, rule.allow ? 1 : 0));
    tests.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    for (size_t i = 0; i + 2 < tests.size(); ++i) {
        if (BPF_CLASS(tests[i].code) == BPF_JMP32) tests[i].off = static_cast<__s16>(tests.size() - i - 1);
    }
    return tests;
}

}  // namespace

bool has_all_access(const DeviceRule& rule) {
    return access_bits(rule).value_or(0) == kAllAccess;
}

Result<std::vector<bpf_insn>> device_program(const std::vector<DeviceRule>& rules) {
    // struct bpf_cgroup_dev_ctx: access_type (access << 16 | type), major, minor; r1 points at it.
    std::vector<bpf_insn> program = {
        instruction(BPF_LDX | BPF_W | BPF_MEM, BPF_REG_2, BPF_REG_1, 0, 0),
        instruction(BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff),
        instruction(BPF_LDX | BPF_W | BPF_MEM, BPF_REG_3, BPF_REG_1, 0, 0),
        instruction(BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16),
        instruction(BPF_LDX | BPF_W | BPF_MEM, BPF_REG_4, BPF_REG_1, 4, 0),
        instruction(BPF_LDX | BPF_W | BPF_MEM, BPF_REG_5, BPF_REG_1, 8, 0),
    };
    for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
        const auto code = TRY(rule_code(*rule));
        program.insert(program.end(), code.begin(), code.end());
        // Nothing after a rule for everything can be reached, and the verifier refuses dead code.
        if (rule->type == 'a' && rule->major < 0 && rule->minor < 0 && has_all_access(*rule)) return program;
    }
    program.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0));
    program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    return program;
}

}  // namespace orlop::cgroups

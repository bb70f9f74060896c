// Where in a document something is, and what was found there while it was read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace orlop::kube {

// A place in a document, linked to the frames of its parents: costs nothing until it is printed.
class Path {
  public:
    Path() = default;
    Path field(std::string_view name) const { return Path(this, name, Part::Field); }
    Path key(std::string_view name) const { return Path(this, name, Part::Key); }
    Path at(size_t index) const {
        Path out(this, {}, Part::Index);
        out.index_ = index;
        return out;
    }
    // spec.containers[0].resources.limits[cpu]
    std::string str() const;

  private:
    enum class Part { Root, Field, Key, Index };
    Path(const Path* parent, std::string_view name, Part part) : parent_(parent), name_(name), part_(part) {}

    const Path* parent_ = nullptr;
    std::string_view name_;
    size_t index_ = 0;
    Part part_ = Part::Root;
};

struct Finding {
    std::string path;
    std::string message;
    // "spec.containers[0].image: required"
    std::string text() const { return path.empty() ? message : path + ": " + message; }
    bool operator==(const Finding&) const = default;
};

enum class UnknownFields { Warn, Error };

class Findings {
  public:
    explicit Findings(UnknownFields unknown = UnknownFields::Warn) : unknown_(unknown) {}

    void error(const Path& path, std::string message) { add(errors_, path, std::move(message)); }
    // Valid, but asks for what is not built: whoever runs it has to be told.
    void refuse(const Path& path, std::string message) { add(refusals_, path, std::move(message)); }
    void warn(const Path& path, std::string message) { add(warnings_, path, std::move(message)); }
    void unknown(const Path& path);

    const std::vector<Finding>& errors() const { return errors_; }
    const std::vector<Finding>& refusals() const { return refusals_; }
    const std::vector<Finding>& warnings() const { return warnings_; }

  private:
    static void add(std::vector<Finding>& list, const Path& path, std::string message);

    std::vector<Finding> errors_;
    std::vector<Finding> refusals_;
    std::vector<Finding> warnings_;
    UnknownFields unknown_;
};

// All of them in one line: "a: required; b: must be a string", cut after the fifth.
std::string join(const std::vector<Finding>& findings);

}  // namespace orlop::kube

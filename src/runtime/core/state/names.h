// Who owns a name while and after it is created. A create that outlives its call keeps its name; the retry of
// the call waits for it and gets what came out of it, instead of "name is reserved".
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace orlop::core {

class Names {
  public:
    // The right to create under a name; given back unless keep() is called.
    class Claim {
      public:
        Claim(Claim&& other) noexcept;
        Claim& operator=(Claim&&) = delete;
        ~Claim();
        // What is being done, for the error of those who wait: "pod network".
        void stage(const std::string& stage);
        void keep();

      private:
        friend class Names;
        Claim(Names* names, std::string name) : names_(names), name_(std::move(name)) {}
        Names* names_;
        std::string name_;
    };
    struct Outcome {
        std::optional<Claim> claim;  // the caller creates
        std::string existing;        // or this id has the name already
    };

    // Waits while another call is creating this name; TimedOut names its stage.
    Result<Outcome> claim(const std::string& name, const std::string& id, Nanos timeout);
    // A name that was found at start.
    void add(const std::string& name, const std::string& id);
    // Of a removed thing; only if `id` has it.
    void release(const std::string& name, const std::string& id);

  private:
    struct Entry {
        std::string id;
        std::string stage;  // "" once it exists
    };
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Entry> entries_;  // guarded by mutex_
};

}  // namespace orlop::core

// SQLite behind Result. One connection; whoever has it serializes its use.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace orlop::images {

class Statement {
  public:
    // Positions start at 1, as in SQLite.
    Statement& bind(int position, const std::string& text);
    Statement& bind(int position, int64_t number);
    // Whether there is a row.
    Result<bool> step();
    // For a statement without rows.
    Status run();
    // Columns start at 0.
    std::string text(int column) const;
    int64_t number(int column) const;

  private:
    friend class Database;
    struct Free {
        void operator()(sqlite3_stmt* statement) const;
    };
    Statement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
    sqlite3* db_;
    std::unique_ptr<sqlite3_stmt, Free> statement_;
    int bind_error_ = 0;
};

class Database {
  public:
    // WAL, foreign keys, and a commit is on the disk when it returns (synchronous=FULL).
    static Result<Database> open(const std::string& path);
    Status exec(const std::string& sql);
    Result<Statement> prepare(const std::string& sql);
    // All or nothing.
    Status transaction(const std::function<Status()>& body);

  private:
    struct Close {
        void operator()(sqlite3* db) const;
    };
    explicit Database(sqlite3* db) : db_(db) {}
    std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace orlop::images

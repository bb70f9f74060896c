#include "images/database.h"

#include <sqlite3.h>

namespace orlop::images {

namespace {

Error failure(sqlite3* db, int code, const std::string& what) {
    const std::string text = what + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
    if (code == SQLITE_CONSTRAINT) return Error::precondition(text);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) return Error::unavailable(text);
    return Error::failed(text);
}

}  // namespace

void Statement::Free::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Statement& Statement::bind(int position, const std::string& text) {
    const int r = sqlite3_bind_text64(statement_.get(), position, text.data(), text.size(), SQLITE_TRANSIENT,
                                      SQLITE_UTF8);
    if (r != SQLITE_OK) bind_error_ = r;
    return *this;
}

Statement& Statement::bind(int position, int64_t number) {
    const int r = sqlite3_bind_int64(statement_.get(), position, number);
    if (r != SQLITE_OK) bind_error_ = r;
    return *this;
}

Result<bool> Statement::step() {
    if (bind_error_ != 0) return failure(nullptr, bind_error_, "bind");
    const int r = sqlite3_step(statement_.get());
    if (r == SQLITE_ROW) return true;
    if (r == SQLITE_DONE) return false;
    return failure(db_, r, "SQLite");
}

Status Statement::run() {
    TRY(step());
    return ok();
}

std::string Statement::text(int column) const {
    const unsigned char* text = sqlite3_column_text(statement_.get(), column);
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return text == nullptr ? std::string()
                           : std::string(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
}

int64_t Statement::number(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

void Database::Close::operator()(sqlite3* db) const {
    sqlite3_close_v2(db);
}

Result<Database> Database::open(const std::string& path) {
    sqlite3* raw = nullptr;
    const int r = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    Database db(raw);
    if (r != SQLITE_OK) return failure(raw, r, "open " + path);
    TRY(db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;").under(path));
    return db;
}

Status Database::exec(const std::string& sql) {
    const int r = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (r != SQLITE_OK) return failure(db_.get(), r, "SQLite");
    return ok();
}

Result<Statement> Database::prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int r =
        sqlite3_prepare_v2(db_.get(), sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
    if (r != SQLITE_OK) return failure(db_.get(), r, "SQLite");
    return Statement(db_.get(), statement);
}

Status Database::transaction(const std::function<Status()>& body) {
    TRY(exec("BEGIN IMMEDIATE"));
    Status done = body();
    if (done) done = exec("COMMIT");
    if (done) return ok();
    if (auto undone = exec("ROLLBACK"); !undone) return std::move(done).error().also(undone.error());
    return done;
}

}  // namespace orlop::images

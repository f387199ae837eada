#include "lakemill/app/query.h"

#include <algorithm>

#include "lakemill/app/consistent_versions.h"
#include "lakemill/app/tables.h"
#include "lakemill/base/path_pattern.h"
#include "lakemill/base/text.h"
#include "lakemill/delta/snapshot.h"
#include "lakemill/events/event_chain.h"
#include "lakemill/storage/path.h"

namespace lakemill::app {

namespace {

Result<std::unique_ptr<engine::Session>> open_session(Workbench& workbench,
                                                      const Versions& versions,
                                                      std::stop_token stop) {
  return workbench.engine().open_session({workbench.clock().now(),
                                          workbench.random().next(),
                                          std::move(stop),
                                          {},
                                          versions,
                                          workbench.working_folder()});
}

Result<engine::FileFormat> format_from_text(const std::string& text) {
  if (text == "csv") return engine::FileFormat::csv;
  if (text == "json") return engine::FileFormat::json;
  if (text == "jsonl" || text == "ndjson") return engine::FileFormat::jsonl;
  if (text == "parquet") return engine::FileFormat::parquet;
  return Error(ErrorCode::invalid, "unknown output format '" + text +
                                       "'; there are table, csv, json, jsonl, parquet");
}

// What stands between single quotes in `sql`.
std::vector<std::string> quoted_texts(std::string_view sql) {
  std::vector<std::string> texts;
  while (true) {
    const std::size_t begin = sql.find('\'');
    if (begin == std::string_view::npos) return texts;
    const std::size_t end = sql.find('\'', begin + 1);
    if (end == std::string_view::npos) return texts;
    texts.emplace_back(sql.substr(begin + 1, end - begin - 1));
    sql.remove_prefix(end + 1);
  }
}

// DuckDB's word for a name that is none, with tables of its own as a suggestion.
constexpr std::string_view kNoSuchTable = "Table with name ";
constexpr std::string_view kIsNotThere = " does not exist!";

Error without_suggestion(Error error, const std::string& quoted) {
  const bool names_files = quoted.find_first_of("/*?") != std::string::npos;
  if (!names_files || !error.message().starts_with(kNoSuchTable)) return error;
  return {error.code(), "'" + quoted +
                            "' is neither a table nor files of a kind that its name "
                            "tells; read files by read_csv('…'), read_json('…') or "
                            "read_parquet('…')"};
}

// The catalog's table whose name is nearest to `name`, or nothing.
std::optional<std::string> table_like(Workbench& workbench, const std::string& name) {
  const auto tables = list_tables(workbench);
  if (!tables) return std::nullopt;
  std::vector<std::string> bare;
  std::vector<std::string> full;
  for (const auto& row : tables->rows) {
    bare.push_back(data::to_text(row[2]));
    full.push_back(data::to_text(row[0]) + "." + data::to_text(row[1]) + "." +
                   bare.back());
  }
  const auto near = nearest(name, bare);
  if (!near) return std::nullopt;
  const auto at = std::find(bare.begin(), bare.end(), *near) - bare.begin();
  return full[static_cast<std::size_t>(at)];
}

// The engine suggests tables of its own system, which nobody has meant.
Error with_own_suggestion(Workbench& workbench, Error error) {
  const std::string& message = error.message();
  const std::size_t end = message.find(kIsNotThere);
  if (!message.starts_with(kNoSuchTable) || end == std::string::npos) return error;
  const std::string name =
      message.substr(kNoSuchTable.size(), end - kNoSuchTable.size());
  const std::size_t place = message.rfind(", at line ");
  const auto near = table_like(workbench, name);
  return {error.code(), "there is no table named " + name +
                            (near ? "; did you mean " + *near + "?" : "") +
                            (place == std::string::npos ? "" : message.substr(place))};
}

// A table's folder is no file, and its files are not the table: says how it is read, if
// that may be what was meant.
Error with_hint(Workbench& workbench, const std::string& sql, Error error) {
  const bool may_be_table = error.code() == ErrorCode::invalid ||
                            error.code() == ErrorCode::corrupt ||
                            error.code() == ErrorCode::not_found;
  if (!may_be_table) return error;
  for (const std::string& quoted : quoted_texts(sql)) {
    std::string text(is_pattern(quoted) ? fixed_folder(quoted) : quoted);
    if (text.empty()) text = ".";
    if (quoted.empty() || text.find('\n') != std::string::npos) continue;
    if (sql.find("delta_scan('" + quoted) != std::string::npos) continue;
    error = without_suggestion(std::move(error), quoted);
    const std::string url =
        storage::normalize_path(storage::join_path(workbench.working_folder(), text));
    const auto store = workbench.stores().open(url);
    if (!store) continue;
    const auto is_table = delta::table_exists(**store);
    if (!is_table || !*is_table) continue;
    const std::string what = quoted == text
                                 ? "is a Delta table"
                                 : "is the folder of a Delta table, whose files are "
                                   "not its rows";
    return {error.code(), error.message() + "; '" + text + "' " + what +
                              ": read it with delta_scan('" + text + "')"};
  }
  return with_own_suggestion(workbench, std::move(error));
}

std::string without_semicolon(std::string_view sql) {
  sql = trim(sql);
  while (sql.ends_with(';')) sql = trim(sql.substr(0, sql.size() - 1));
  return std::string(sql);
}

}  // namespace

Result<Versions> common_versions(Workbench& workbench, const std::string& sql) {
  LAKEMILL_TRY(const auto session, open_session(workbench, {}, {}));
  auto shape = session->describe(without_semicolon(sql), engine::Origin::user);
  if (!shape) return with_hint(workbench, sql, std::move(shape).error());
  return consistent_versions(workbench, shape->relations);
}

Result<data::Rows> query(Workbench& workbench, const std::string& sql,
                         const Versions& versions, std::int64_t rows_max,
                         std::stop_token stop) {
  LAKEMILL_TRY(const auto session, open_session(workbench, versions, std::move(stop)));
  auto rows = session->query(without_semicolon(sql), engine::Origin::user, rows_max);
  if (!rows) return with_hint(workbench, sql, std::move(rows).error());
  return rows;
}

Status export_query(Workbench& workbench, const std::string& sql,
                    const Versions& versions, const std::string& format,
                    const std::string& path, std::stop_token stop) {
  LAKEMILL_TRY(const engine::FileFormat file_format, format_from_text(format));
  LAKEMILL_TRY(const auto session, open_session(workbench, versions, std::move(stop)));
  auto bound =
      session->bind_query("query", without_semicolon(sql), engine::Origin::user);
  if (!bound) return with_hint(workbench, sql, std::move(bound).error());
  engine::WriteSpec spec;
  spec.sql = "SELECT * FROM \"query\"";
  spec.target = engine::FileTarget{path, file_format, {}};
  LAKEMILL_TRY(const auto written, session->write(spec));
  (void)written;  // the file is all that is wanted
  return {};
}

namespace {

// A session in which `events` is the log; null: nothing has happened yet.
Result<std::unique_ptr<engine::Session>> open_log(Workbench& workbench) {
  LAKEMILL_TRY(events::EventLog * log, workbench.event_log());
  auto scan = log->scan();
  if (!scan) {
    if (scan.error().code() == ErrorCode::not_found) {
      return std::unique_ptr<engine::Session>();
    }
    return std::move(scan).error();
  }
  LAKEMILL_TRY(auto session, open_session(workbench, {}, {}));
  LAKEMILL_TRY_OK(session->bind("events", engine::TableRelation{*std::move(scan)}));
  return session;
}

}  // namespace

Result<data::Rows> list_events(Workbench& workbench, const events::EventFilter& filter,
                               std::int64_t count_max) {
  LAKEMILL_TRY(const auto session, open_log(workbench));
  if (session == nullptr) return data::Rows{};
  return session->query(events::select_events("events", filter, count_max),
                        engine::Origin::lakemill, count_max);
}

Result<std::int64_t> count_events(Workbench& workbench, const std::string& condition) {
  LAKEMILL_TRY(const auto session, open_log(workbench));
  if (session == nullptr) return std::int64_t{0};
  LAKEMILL_TRY(const data::Rows rows,
               session->query("SELECT count(*) FROM events WHERE " + condition,
                              engine::Origin::user, 1));
  return std::get<std::int64_t>(rows.rows.at(0).at(0));
}

Result<std::int64_t> verify_events(Workbench& workbench) {
  LAKEMILL_TRY(const auto session, open_log(workbench));
  if (session == nullptr) return std::int64_t{0};
  constexpr std::int64_t kPageRows = 10'000;
  events::ChainCheck chain;
  while (true) {
    LAKEMILL_TRY(
        const data::Rows page,
        session->query(events::select_chain("events", chain.events(), kPageRows),
                       engine::Origin::lakemill, kPageRows));
    LAKEMILL_TRY_OK(chain.go_on(page));
    if (static_cast<std::int64_t>(page.rows.size()) < kPageRows) return chain.events();
  }
}

}  // namespace lakemill::app

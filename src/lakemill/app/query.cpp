#include "lakemill/app/query.h"

#include "lakemill/base/text.h"

namespace lakemill::app {

namespace {

Result<std::unique_ptr<engine::Session>> open_session(Workbench& workbench,
                                                      std::stop_token stop) {
  return workbench.engine().open_session({workbench.clock().now(),
                                          workbench.random().next(),
                                          std::move(stop),
                                          {},
                                          {},
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

std::string without_semicolon(std::string_view sql) {
  sql = trim(sql);
  while (sql.ends_with(';')) sql = trim(sql.substr(0, sql.size() - 1));
  return std::string(sql);
}

}  // namespace

Result<data::Rows> query(Workbench& workbench, const std::string& sql,
                         std::int64_t rows_max, std::stop_token stop) {
  LAKEMILL_TRY(const auto session, open_session(workbench, std::move(stop)));
  return session->query(without_semicolon(sql), engine::Origin::user, rows_max);
}

Status export_query(Workbench& workbench, const std::string& sql,
                    const std::string& format, const std::string& path,
                    std::stop_token stop) {
  LAKEMILL_TRY(const engine::FileFormat file_format, format_from_text(format));
  LAKEMILL_TRY(const auto session, open_session(workbench, std::move(stop)));
  LAKEMILL_TRY_OK(
      session->bind_query("query", without_semicolon(sql), engine::Origin::user));
  engine::WriteSpec spec;
  spec.sql = "SELECT * FROM \"query\"";
  spec.target = engine::FileTarget{path, file_format, {}};
  LAKEMILL_TRY(const auto written, session->write(spec));
  (void)written;  // the file is all that is wanted
  return {};
}

Result<data::Rows> list_events(Workbench& workbench, const events::EventFilter& filter,
                               std::int64_t count_max) {
  LAKEMILL_TRY(events::EventLog * log, workbench.event_log());
  auto scan = log->scan();
  if (!scan) {
    if (scan.error().code() == ErrorCode::not_found) return data::Rows{};
    return std::move(scan).error();
  }
  LAKEMILL_TRY(const auto session, open_session(workbench, {}));
  LAKEMILL_TRY_OK(session->bind("events", engine::TableRelation{*std::move(scan)}));
  return session->query(events::select_events("events", filter, count_max),
                        engine::Origin::lakemill, count_max);
}

Result<std::int64_t> verify_events(Workbench& workbench) {
  LAKEMILL_TRY(events::EventLog * log, workbench.event_log());
  auto scan = log->scan();
  if (!scan) {
    if (scan.error().code() == ErrorCode::not_found) return std::int64_t{0};
    return std::move(scan).error();
  }
  LAKEMILL_TRY(const auto session, open_session(workbench, {}));
  LAKEMILL_TRY_OK(session->bind("events", engine::TableRelation{*std::move(scan)}));
  LAKEMILL_TRY(const data::Rows gaps,
               session->query(
                   "SELECT writer, sequence FROM (SELECT writer, sequence, "
                   "row_number() OVER (PARTITION BY writer ORDER BY sequence) - 1 AS n "
                   "FROM events) WHERE sequence <> n ORDER BY ALL LIMIT 1",
                   engine::Origin::lakemill, 1));
  if (!gaps.rows.empty()) {
    return Error(ErrorCode::corrupt,
                 "the events of writer " + data::to_text(gaps.rows[0][0]) +
                     " have a gap before sequence " + data::to_text(gaps.rows[0][1]));
  }
  LAKEMILL_TRY(const data::Rows count, session->query("SELECT count(*) FROM events",
                                                      engine::Origin::lakemill, 1));
  return std::get<std::int64_t>(count.rows[0][0]);
}

}  // namespace lakemill::app

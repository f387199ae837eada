#include "lakemill/app/tables.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/delta/transaction.h"
#include "lakemill/storage/path.h"
#include "lakemill/storage/path_guard.h"

namespace lakemill::app {

namespace {

data::Field text_column(std::string name) {
  return {std::move(name), data::make_type(data::TypeKind::string)};
}

data::Field number_column(std::string name) {
  return {std::move(name), data::make_type(data::TypeKind::int64)};
}

data::Value instant_value(std::int64_t milliseconds) {
  return format_instant(Instant(std::chrono::milliseconds(milliseconds)));
}

Result<std::shared_ptr<const delta::Snapshot>> latest(Workbench& workbench,
                                                      const std::string& table) {
  LAKEMILL_TRY(const std::string url, workbench.table_url(table));
  LAKEMILL_TRY(const auto opened, workbench.catalog().open_url(url));
  return opened->latest();
}

std::string features_text(const delta::Protocol& protocol) {
  std::string text = "reader " + std::to_string(protocol.min_reader_version) +
                     ", writer " + std::to_string(protocol.min_writer_version);
  if (!protocol.writer_features.empty()) {
    text += " (" + join(protocol.writer_features, ", ") + ")";
  }
  return text;
}

std::string partition_text(const delta::AddFile& file) {
  std::vector<std::string> parts;
  for (const auto& [column, value] : file.partition_values) {
    parts.push_back(column + "=" + value.value_or("NULL"));
  }
  return join(parts, "/");
}

std::optional<std::int64_t> rows_of(const delta::AddFile& file) {
  const auto stats = parse_json(file.stats);
  if (!stats || find_member(*stats, "numRecords") == nullptr) return std::nullopt;
  return integer_member(*stats, "numRecords", 0);
}

std::int64_t deleted_of(const delta::AddFile& file) {
  return file.deletion_vector ? file.deletion_vector->cardinality : 0;
}

}  // namespace

Result<Facts> table_facts(Workbench& workbench, const std::string& table) {
  LAKEMILL_TRY(const std::string url, workbench.table_url(table));
  LAKEMILL_TRY(const auto snapshot, latest(workbench, table));
  std::int64_t bytes = 0;
  std::int64_t rows = 0;
  std::int64_t deleted = 0;
  bool rows_known = true;
  for (const delta::AddFile& file : snapshot->files()) {
    bytes += file.size_bytes;
    deleted += deleted_of(file);
    const auto count = rows_of(file);
    rows_known = rows_known && count.has_value();
    rows += count.value_or(0);
  }
  const delta::Metadata& metadata = snapshot->metadata();
  Facts facts = {
      {"location", url},
      {"version", snapshot->version()},
      {"committed",
       format_instant(Instant(std::chrono::milliseconds(snapshot->timestamp_ms())))},
      {"rows", rows_known ? Json(rows - deleted) : Json()},
      {"files", snapshot->files().size()},
      {"size_bytes", bytes},
      {"columns", metadata.schema.fields.size()},
      {"partitioned by", metadata.partition_columns.empty()
                             ? "nothing"
                             : join(metadata.partition_columns, ", ")},
      {"protocol", features_text(snapshot->protocol())},
      {"id", metadata.id}};
  LAKEMILL_TRY(const auto clustering, delta::clustering_columns(*snapshot));
  if (!clustering.empty()) {
    facts.emplace_back(
        "clustered by",
        join(delta::clustering_names(clustering, metadata.schema), ", "));
  }
  if (metadata.description) facts.emplace_back("comment", *metadata.description);
  for (const auto& [key, value] : metadata.configuration)
    facts.emplace_back(key, value);
  return facts;
}

Result<data::Rows> table_history(Workbench& workbench, const std::string& table,
                                 std::size_t count_max) {
  LAKEMILL_TRY(const std::string url, workbench.table_url(table));
  LAKEMILL_TRY(const auto opened, workbench.catalog().open_url(url));
  LAKEMILL_TRY(const auto entries, opened->history(count_max));
  data::Rows rows;
  rows.schema.fields = {number_column("version"), text_column("timestamp"),
                        text_column("operation"), text_column("parameters"),
                        text_column("metrics"),   text_column("engine")};
  for (const delta::HistoryEntry& entry : entries) {
    const auto member = [&](std::string_view key) -> data::Value {
      const Json* found = find_member(entry.commit_info, key);
      if (found == nullptr) return {};
      return found->is_string() ? found->get<std::string>() : json_text(*found);
    };
    rows.rows.push_back({entry.version, instant_value(entry.timestamp_ms),
                         entry.operation, member("operationParameters"),
                         member("operationMetrics"), member("engineInfo")});
  }
  return rows;
}

Result<data::Rows> table_schema(Workbench& workbench, const std::string& table) {
  LAKEMILL_TRY(const auto snapshot, latest(workbench, table));
  data::Rows rows;
  rows.schema.fields = {text_column("column"), text_column("type"),
                        text_column("nullable"), text_column("comment")};
  for (const data::Field& field : snapshot->metadata().schema.fields) {
    const std::string comment = string_member(field.metadata, "comment", "");
    rows.rows.push_back({field.name, to_text(field.type), field.nullable ? "yes" : "no",
                         comment.empty() ? data::Value() : data::Value(comment)});
  }
  return rows;
}

Result<data::Rows> table_files(Workbench& workbench, const std::string& table) {
  LAKEMILL_TRY(const auto snapshot, latest(workbench, table));
  data::Rows rows;
  rows.schema.fields = {text_column("path"),      number_column("size_bytes"),
                        number_column("rows"),    number_column("deleted_rows"),
                        text_column("partition"), text_column("modified")};
  for (const delta::AddFile& file : snapshot->files()) {
    const auto count = rows_of(file);
    rows.rows.push_back({file.path, file.size_bytes,
                         count ? data::Value(*count) : data::Value(), deleted_of(file),
                         partition_text(file),
                         instant_value(file.modification_time_ms)});
  }
  return rows;
}

namespace {

constexpr std::string_view kStateFolder = "_lakemill";

bool is_in_state_folder(std::string_view url) {
  const auto parts = split(url, '/');
  return std::find(parts.begin(), parts.end(), kStateFolder) != parts.end();
}

// Where nothing was ever told, a table that goes does not begin a log.
void tell_of_drop(Workbench& workbench, const std::string& name,
                  const std::string& url) {
  const auto log = workbench.event_log();
  if (!log || !(*log)->scan()) return;
  const auto writer = workbench.event_writer();
  if (!writer) return;
  events::Event dropped;
  dropped.type = events::EventType::table_dropped;
  dropped.table_name = name;
  dropped.subject = "table/" + name;
  dropped.details = {{"url", url}};
  (*writer)->add(std::move(dropped));
}

// What the table at `url` is called: its name in the catalog, else its url.
std::string identity_of(Workbench& workbench, const std::string& table,
                        const std::string& url) {
  const auto name = workbench.catalog().resolve(table);
  const bool is_named = name && workbench.catalog().url_of(*name) == url;
  return is_named ? catalog::to_text(*name) : url;
}

// The event log, the positions of flows and what else makes the next run right.
Status refuse_state(const std::string& table, const std::string& url) {
  std::string resolved = url;
  if (!storage::has_scheme(url)) {
    LAKEMILL_TRY(resolved, storage::resolve_links(url));
  }
  if (!is_in_state_folder(url) && !is_in_state_folder(resolved)) return {};
  return Error(ErrorCode::denied,
               table + " is state of the project (inside " + std::string(kStateFolder) +
                   ") and is not dropped: the event log and the positions of flows "
                   "live there; remove the whole project folder if it is to go");
}

}  // namespace

Status table_drop(Workbench& workbench, const std::string& table) {
  if (const auto name = workbench.catalog().resolve(table);
      name && workbench.catalog().get_view(*name)) {
    return workbench.catalog().drop_view(*name);
  }
  LAKEMILL_TRY(const std::string url, workbench.table_url(table));
  LAKEMILL_TRY_OK(refuse_state(table, url));
  LAKEMILL_TRY_OK(workbench.catalog().drop_url(url));
  tell_of_drop(workbench, identity_of(workbench, table, url), url);
  return {};
}

Result<data::Rows> list_tables(Workbench& workbench) {
  catalog::Catalog& catalog = workbench.catalog();
  data::Rows rows;
  rows.schema.fields = {text_column("catalog"), text_column("schema"),
                        text_column("name"), text_column("kind")};
  LAKEMILL_TRY(const auto catalogs, catalog.list_catalogs());
  for (const std::string& name : catalogs) {
    LAKEMILL_TRY(const auto schemas, catalog.list_schemas(name));
    for (const std::string& schema : schemas) {
      LAKEMILL_TRY(const auto tables, catalog.list_tables(name, schema));
      for (const std::string& table : tables) {
        rows.rows.push_back({name, schema, table, "table"});
      }
      LAKEMILL_TRY(const auto views, catalog.list_views(name, schema));
      for (const std::string& view : views) {
        rows.rows.push_back({name, schema, view, "view"});
      }
    }
  }
  return rows;
}

}  // namespace lakemill::app

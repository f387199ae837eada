#include "lakemill/engine_spark/spark_session.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/delta/snapshot.h"
#include "lakemill/engine_spark/arrow_rows.h"
#include "lakemill/engine_spark/spark_types.h"
#include "lakemill/storage/path.h"

namespace lakemill::engine_spark {

namespace {

using engine::Origin;

ArrowKind arrow_kind(const data::Type& type) {
  using data::TypeKind;
  switch (type.kind) {
    case TypeKind::boolean:
      return ArrowKind::boolean;
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64:
      return ArrowKind::integer;
    case TypeKind::float32:
    case TypeKind::float64:
      return ArrowKind::float64;
    case TypeKind::decimal:
      return ArrowKind::decimal;
    case TypeKind::binary:
      return ArrowKind::binary;
    case TypeKind::date:
      return ArrowKind::date;
    case TypeKind::timestamp:
    case TypeKind::timestamp_ntz:
      return ArrowKind::timestamp;
    default:
      return ArrowKind::string;
  }
}

// A column in the one Arrow type that stands for its kind.
std::string sent_sql(const std::string& column, const data::Type& type) {
  switch (arrow_kind(type)) {
    case ArrowKind::integer:
      return "CAST(" + column + " AS BIGINT)";
    case ArrowKind::float64:
      return "CAST(" + column + " AS DOUBLE)";
    case ArrowKind::decimal:
      return "CAST(" + column + " AS STRING)";
    case ArrowKind::string:
      return type.kind == data::TypeKind::string ? column : "to_json(" + column + ")";
    default:
      return column;
  }
}

std::string position_name(std::size_t index) { return "_c" + std::to_string(index); }

// The columns of a translated query by their place, with the names and types that they
// have here.
Result<std::string> shaped(const std::string& sql, const data::Schema& schema,
                           bool to_be_sent) {
  std::vector<std::string> names;
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    const data::Field& field = schema.fields[i];
    names.push_back(position_name(i));
    LAKEMILL_TRY(const std::string type, spark_type(field.type));
    std::string column = conform_sql(names.back(), type);
    if (to_be_sent) column = sent_sql(column, field.type);
    columns.push_back(column + " AS " +
                      (to_be_sent ? names.back() : quote_name(field.name)));
  }
  return "SELECT " + join(columns, ", ") + " FROM (" + sql + ") AS _lakemill(" +
         join(names, ", ") + ")";
}

}  // namespace

SparkSession::SparkSession(const SparkOptions& options, SparkServices services,
                           engine::SessionOptions session,
                           std::unique_ptr<engine::Session> front)
    : options_(options),
      services_(services),
      session_(std::move(session)),
      front_(std::move(front)) {}

Result<std::unique_ptr<engine::Session>> SparkSession::open(
    const SparkOptions& options, SparkServices services,
    engine::SessionOptions session) {
  engine::SessionOptions for_front = session;
  for_front.on_progress = {};
  LAKEMILL_TRY(auto front, services.front.open_session(std::move(for_front)));
  return std::unique_ptr<engine::Session>(
      new SparkSession(options, services, std::move(session), std::move(front)));
}

SparkSession::~SparkSession() {
  // What Spark keeps for views outlives their session. Best effort.
  if (client_ == nullptr || session_.stop.stop_requested()) return;
  for (const std::string& view : cached_) {
    (void)client_->run(sql_command("UNCACHE TABLE IF EXISTS " + view));
  }
}

std::string SparkSession::new_view(std::string_view name) {
  std::string view = "lakemill_" + std::to_string(++view_count_);
  view_names_[to_lower(name)] = view;
  return view;
}

// Spark reads a table at a version, not some of its files.
Status SparkSession::check_whole(const engine::Relation& relation) {
  const auto* table = std::get_if<engine::TableRelation>(&relation);
  if (table == nullptr) return {};
  const data::TableScan& scan = *table->scan;
  LAKEMILL_TRY(const auto opened, services_.catalog.open_url(scan.table_url()));
  LAKEMILL_TRY(const auto snapshot, opened->at_version(scan.version()));
  LAKEMILL_TRY(const auto whole, snapshot->scan());
  if (whole->files().size() == scan.files().size()) return {};
  return not_on_spark("reading only what was added to table " + scan.table_url());
}

Status SparkSession::bind(std::string_view name, engine::Relation relation) {
  LAKEMILL_TRY_OK(check_whole(relation));
  LAKEMILL_TRY_OK(front_->bind(name, relation));
  LAKEMILL_TRY(
      const auto shape,
      front_->describe("SELECT * FROM " + quote_identifier(name), Origin::lakemill));
  LAKEMILL_TRY(auto views, views_of(new_view(name), relation, shape.schema));
  waiting_.insert(waiting_.end(), views.begin(), views.end());
  return {};
}

Status SparkSession::bind_query(std::string_view name, std::string_view sql,
                                Origin origin) {
  LAKEMILL_TRY_OK(front_->bind_query(name, sql, origin));
  LAKEMILL_TRY(
      const auto shape,
      front_->describe("SELECT * FROM " + quote_identifier(name), Origin::lakemill));
  LAKEMILL_TRY(const std::string translated, translate(sql, origin));
  LAKEMILL_TRY(const std::string rows, shaped(translated, shape.schema, false));
  waiting_.push_back({new_view(name), sql_relation(rows)});
  return {};
}

Result<engine::QueryShape> SparkSession::describe(std::string_view sql, Origin origin) {
  return front_->describe(sql, origin);
}

Result<data::Rows> SparkSession::query(std::string_view sql, Origin origin,
                                       std::int64_t rows_max) {
  LAKEMILL_TRY(const auto shape, front_->describe(sql, origin));
  LAKEMILL_TRY(const std::string translated, translate(sql, origin));
  return fetch(translated, shape.schema, rows_max);
}

Result<std::vector<engine::FileRows>> SparkSession::query_positions(
    std::string_view /*sql*/) {
  return not_on_spark("finding rows by their position in a file");
}

Result<engine::WriteResult> SparkSession::write(const engine::WriteSpec& spec) {
  if (std::holds_alternative<engine::TemporaryTarget>(spec.target)) return stage(spec);
  return not_on_spark("writing files that are no Delta table");
}

Result<std::string> SparkSession::translate(std::string_view sql, Origin origin) {
  LAKEMILL_TRY(const data::Rows parsed,
               front_->query("SELECT CAST(json_serialize_sql(" + quote_literal(sql) +
                                 ") AS VARCHAR)",
                             Origin::lakemill, 1));
  const auto* text = parsed.rows.empty() || parsed.rows[0].empty()
                         ? nullptr
                         : std::get_if<std::string>(&parsed.rows[0][0]);
  if (text == nullptr) return Error(ErrorCode::invalid, "the SQL cannot be parsed");
  LAKEMILL_TRY(const Json answer, parse_json(*text));
  SqlContext context;
  context.now = session_.now;
  context.ours = origin == Origin::lakemill;
  context.table = [this](const TableReference& reference) {
    return table_sql(reference);
  };
  context.columns =
      [this](const std::string& name) -> Result<std::vector<std::string>> {
    LAKEMILL_TRY(
        const auto shape,
        front_->describe("SELECT * FROM " + quote_identifier(name), Origin::lakemill));
    std::vector<std::string> columns;
    for (const data::Field& field : shape.schema.fields) columns.push_back(field.name);
    return columns;
  };
  return SparkSql(context).statement(answer);
}

Result<std::string> SparkSession::table_sql(const TableReference& reference) {
  if (!reference.path.empty()) {
    const std::string url = storage::normalize_path(
        storage::join_path(session_.base_folder, reference.path));
    return table_at(url, url, reference.version);
  }
  if (reference.schema.empty() && reference.catalog.empty()) {
    const auto found = view_names_.find(to_lower(reference.table));
    if (found != view_names_.end()) return found->second;
  }
  std::string written;
  for (const std::string& part :
       {reference.catalog, reference.schema, reference.table}) {
    if (!part.empty()) written += (written.empty() ? "" : ".") + part;
  }
  LAKEMILL_TRY(const catalog::TableName name, services_.catalog.resolve(written));
  LAKEMILL_TRY(const bool exists, services_.catalog.table_exists(name));
  if (!exists) return not_on_spark("the view " + written);
  return table_at(services_.catalog.url_of(name), catalog::to_text(name),
                  reference.version);
}

// At the version that the statement or the plan says, else the newest.
Result<std::string> SparkSession::table_at(const std::string& url,
                                           const std::string& full_name,
                                           std::optional<std::int64_t> version) {
  const auto pinned = session_.pinned_versions.find(full_name);
  if (!version && pinned != session_.pinned_versions.end()) version = pinned->second;
  if (!version) {
    LAKEMILL_TRY(const auto table, services_.catalog.open_url(url));
    LAKEMILL_TRY(const auto snapshot, table->latest());
    version = snapshot->version();
  }
  return delta_table_sql(url, *version);
}

// Connects if that did not happen yet, and makes the views that wait.
Status SparkSession::ready() {
  if (client_ == nullptr) {
    LAKEMILL_TRY(const std::string address, options_.remote());
    LAKEMILL_TRY(SparkRemote remote, parse_remote(address));
    auto client = std::make_unique<ConnectClient>(
        ConnectOptions{std::move(remote), make_uuid(services_.random),
                       options_.statement_timeout_ms_max, session_.stop},
        services_.http);
    LAKEMILL_TRY_OK(client->configure({{"spark.sql.session.timeZone", "UTC"},
                                       {"spark.sql.ansi.enabled", "true"},
                                       {"spark.sql.caseSensitive", "false"}}));
    client_ = std::move(client);
  }
  while (!waiting_.empty()) {
    const SparkView& view = waiting_.front();
    LAKEMILL_TRY_OK(client_->run(view_command(view.name, view.relation)));
    waiting_.erase(waiting_.begin());
  }
  return {};
}

Status SparkSession::run_sql(const std::string& sql) {
  LAKEMILL_TRY_OK(ready());
  return client_->run(sql_command(sql));
}

Result<data::Rows> SparkSession::fetch(const std::string& spark_sql,
                                       const data::Schema& schema,
                                       std::int64_t rows_max) {
  LAKEMILL_TRY_OK(ready());
  LAKEMILL_TRY(const std::string sent, shaped(spark_sql, schema, true));
  LAKEMILL_TRY(
      const auto batches,
      client_->fetch(sql_relation(sent + " LIMIT " + std::to_string(rows_max))));
  std::vector<ArrowKind> kinds;
  for (const data::Field& field : schema.fields) {
    kinds.push_back(arrow_kind(field.type));
  }
  data::Rows rows;
  rows.schema = schema;
  for (const std::string& batch : batches) {
    LAKEMILL_TRY_OK(append_rows(batch, kinds, rows_max, rows.rows));
  }
  return rows;
}

}  // namespace lakemill::engine_spark

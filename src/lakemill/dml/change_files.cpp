#include "lakemill/dml/change_files.h"

#include "lakemill/base/text.h"
#include "lakemill/delta/change_feed.h"
#include "lakemill/delta/protocol.h"
#include "lakemill/dml/data_files.h"
#include "lakemill/dml/held_rows.h"
#include "lakemill/dml/rows_left.h"

namespace lakemill::dml {
namespace {

/// Files that were just written, before the log knows them.
class WrittenScan final : public data::TableScan {
 public:
  WrittenScan(const engine::TableFilesTarget& target,
              const std::vector<engine::WrittenFile>& files)
      : schema_(target.schema),
        mode_(target.column_mapping_mode),
        table_url_(target.folder_url) {
    for (const engine::WrittenFile& written : files) {
      if (written.row_count == 0) continue;
      data::DataFile file;
      file.url = table_url_ + "/" + written.path;
      file.path = written.path;
      file.size_bytes = written.size_bytes;
      file.row_count = written.row_count;
      file.constants = written.partition_values;
      files_.push_back(std::move(file));
    }
  }

  const data::Schema& schema() const override { return schema_; }
  const std::string& column_mapping_mode() const override { return mode_; }
  const std::vector<data::DataFile>& files() const override { return files_; }
  const std::string& table_url() const override { return table_url_; }
  std::int64_t version() const override { return -1; }
  std::vector<std::size_t> may_match(
      const std::vector<data::Comparison>& /*conjuncts*/) const override {
    std::vector<std::size_t> every(files_.size());
    for (std::size_t i = 0; i < every.size(); ++i) every[i] = i;
    return every;
  }

 private:
  data::Schema schema_;
  std::string mode_;
  std::string table_url_;
  std::vector<data::DataFile> files_;
};

/// Both sides of a change, bound in the session; empty: that side has no row.
struct Sides {
  std::string gone;
  std::string come;
};

std::string change_type(std::string_view type) {
  return quote_literal(type) + " AS " + quote_identifier(delta::kChangeType);
}

// The rows of one side: those that have a partner on the other are halves of updates.
std::string side_sql(const std::string& side, const std::string& other,
                     const std::vector<std::string>& keys, std::string_view alone,
                     std::string_view paired) {
  if (other.empty() || keys.empty()) {
    return "SELECT *, " + change_type(alone) + " FROM " + side;
  }
  std::vector<std::string> conditions;
  for (const std::string& key : keys) {
    const std::string name = quote_identifier(key);
    conditions.push_back("a." + name + " IS NOT DISTINCT FROM b." + name);
  }
  const std::string match =
      " AS a SEMI JOIN " + other + " AS b ON " + join(conditions, " AND ");
  std::string anti = match;
  anti.replace(anti.find("SEMI"), 4, "ANTI");
  return "SELECT *, " + change_type(paired) + " FROM " + side + match +
         " UNION ALL BY NAME SELECT *, " + change_type(alone) + " FROM " + side + anti;
}

std::string changes_sql(const Sides& sides, const std::vector<std::string>& keys) {
  std::string sql =
      side_sql(sides.gone, sides.come, keys, delta::kDelete, delta::kUpdatePreimage);
  if (!sides.come.empty()) {
    sql += " UNION ALL BY NAME " + side_sql(sides.come, sides.gone, keys,
                                            delta::kInsert, delta::kUpdatePostimage);
  }
  return sql;
}

// Keys that both sides have: a column that this change adds is in no old row.
std::vector<std::string> held_keys(const TableState& state,
                                   const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (state.scan->schema().find(key) == nullptr) return {};
  }
  return keys;
}

}  // namespace

bool needs_change_files(const TableState& state, const TableChange& change) {
  if (state.snapshot == nullptr || change.replaces_rows || change.removed.empty()) {
    return false;
  }
  // The property may be switched on by this very change.
  return delta::property_is_true(change.metadata, "delta.enableChangeDataFeed");
}

Result<std::vector<engine::WrittenFile>> write_change_files(
    const ChangeContext& context, const TableState& state, const TableChange& change) {
  engine::TableFilesTarget target =
      held_rows_target(context.table, change.metadata, context.layout);
  Sides sides{"_lakemill_gone", ""};
  LAKEMILL_TRY_OK(context.session.bind(
      sides.gone, engine::TableRelation{rows_named(state.scan, change.removed)}));
  auto come = std::make_shared<WrittenScan>(target, change.added);
  if (!come->files().empty()) {
    sides.come = "_lakemill_come";
    LAKEMILL_TRY_OK(context.session.bind(sides.come, engine::TableRelation{come}));
  }

  target.folder_url += "/" + std::string(delta::kChangeFolder);
  target.file_prefix = "cdc-";
  target.schema.fields.push_back(
      {std::string(delta::kChangeType), data::make_type(data::TypeKind::string)});
  // Old rows may have nulls where the table no longer allows them.
  for (data::Field& field : target.schema.fields) field.nullable = true;
  engine::WriteSpec spec;
  spec.sql = changes_sql(sides, held_keys(state, change.keys));
  spec.target = target;
  auto written = context.session.write(spec);
  if (!written) return std::move(written).error().while_doing("write change files");
  for (engine::WrittenFile& file : written->files) {
    file.path.insert(0, "/").insert(0, delta::kChangeFolder);
  }
  return std::move(written->files);
}

Result<std::vector<delta::AddCdcFile>> to_cdc_files(
    const std::vector<engine::WrittenFile>& files, const delta::Metadata& metadata,
    Instant now) {
  delta::Metadata lenient = metadata;
  for (data::Field& field : lenient.schema.fields) field.nullable = true;
  LAKEMILL_TRY(const std::vector<delta::AddFile> added,
               to_add_files(files, lenient, {}, now));
  std::vector<delta::AddCdcFile> cdc;
  for (const delta::AddFile& file : added) {
    cdc.push_back({file.path, file.partition_values, file.size_bytes});
  }
  return cdc;
}

}  // namespace lakemill::dml

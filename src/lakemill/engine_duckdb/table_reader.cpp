#include "lakemill/engine_duckdb/table_reader.h"

#include <duckdb/function/partition_stats.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/column_mapping.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/filter_translation.h"
#include "lakemill/engine_duckdb/session_state.h"
#include "lakemill/engine_duckdb/type_mapping.h"
#include "lakemill/storage/path_guard.h"

namespace lakemill::engine_duckdb {
namespace {

using data::Comparison;
using data::TableScan;
using duckdb::ClientContext;
using duckdb::LogicalType;
using duckdb::MultiFileReader;
using duckdb::OpenFileInfo;
using duckdb::Value;

constexpr const char* kFileOption = "lakemill_file";
constexpr std::uint64_t kBytesPerRowGuess = 64;

// The files of a scan that a statement still has to read, by their index in it.
class ScanFileList final : public duckdb::MultiFileList {
 public:
  ScanFileList(std::shared_ptr<const TableScan> scan, std::vector<std::size_t> files,
               std::vector<Comparison> conjuncts)
      : scan_(std::move(scan)),
        files_(std::move(files)),
        conjuncts_(std::move(conjuncts)) {}

  static std::unique_ptr<ScanFileList> all(std::shared_ptr<const TableScan> scan) {
    std::vector<std::size_t> files(scan->files().size());
    for (std::size_t i = 0; i < files.size(); ++i) files[i] = i;
    return std::make_unique<ScanFileList>(std::move(scan), std::move(files),
                                          std::vector<Comparison>());
  }

  // Null if nothing more is known.
  duckdb::unique_ptr<MultiFileList> with(std::vector<Comparison> more) const {
    if (more.empty() || files_.empty()) return nullptr;
    auto conjuncts = conjuncts_;
    for (auto& comparison : more) conjuncts.push_back(std::move(comparison));
    auto files = scan_->may_match(conjuncts);
    if (files.size() == files_.size()) return nullptr;
    return duckdb::make_uniq<ScanFileList>(scan_, std::move(files),
                                           std::move(conjuncts));
  }

  duckdb::unique_ptr<MultiFileList> ComplexFilterPushdown(
      ClientContext&, const duckdb::MultiFileOptions&,
      duckdb::MultiFilePushdownInfo& info,
      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) const override {
    std::vector<Comparison> more;
    const auto name_of = [&](std::uint64_t index) -> std::string {
      if (index >= info.column_ids.size()) return "";
      const auto id = info.column_ids[index];
      return id < info.column_names.size() ? info.column_names[id] : std::string();
    };
    for (const auto& filter : filters) add_comparisons(*filter, name_of, more);
    return with(std::move(more));
  }

  duckdb::unique_ptr<MultiFileList> DynamicFilterPushdown(
      ClientContext&, const duckdb::MultiFileOptions&,
      const duckdb::vector<std::string>& names, const duckdb::vector<LogicalType>&,
      const duckdb::vector<duckdb::column_t>& column_ids,
      duckdb::TableFilterSet& filters) const override {
    std::vector<Comparison> more;
    for (const auto& [index, filter] : filters.filters) {
      const auto id = column_ids[index];
      if (id < names.size()) add_comparisons(*filter, names[id], more);
    }
    return with(std::move(more));
  }

  duckdb::vector<OpenFileInfo> GetAllFiles() const override {
    duckdb::vector<OpenFileInfo> files;
    files.reserve(files_.size());
    for (std::size_t i = 0; i < files_.size(); ++i) files.push_back(GetFile(i));
    return files;
  }
  duckdb::FileExpandResult GetExpandResult() const override {
    // A single file is announced as several, because DuckDB would then read it with one
    // thread: it has not seen the file when it is bound.
    return files_.empty() ? duckdb::FileExpandResult::NO_FILES
                          : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  duckdb::idx_t GetTotalFileCount() const override { return files_.size(); }
  duckdb::vector<OpenFileInfo> GetDisplayFileList(
      duckdb::optional_idx files_max) const override {
    duckdb::vector<OpenFileInfo> files;
    const auto count = files_max.IsValid()
                           ? std::min<std::size_t>(files_max.GetIndex(), files_.size())
                           : files_.size();
    for (std::size_t i = 0; i < count; ++i) files.push_back(GetFile(i));
    return files;
  }
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(
      ClientContext&) const override {
    std::uint64_t rows = 0;
    for (const auto index : files_) {
      const auto& file = scan_->files()[index];
      rows += file.row_count
                  ? static_cast<std::uint64_t>(*file.row_count)
                  : static_cast<std::uint64_t>(file.size_bytes) / kBytesPerRowGuess;
      if (file.deleted) rows -= std::min(rows, file.deleted->count());
    }
    return duckdb::make_uniq<duckdb::NodeStatistics>(rows);
  }
  duckdb::unique_ptr<MultiFileList> Copy() const override {
    return duckdb::make_uniq<ScanFileList>(scan_, files_, conjuncts_);
  }

  // The rows that count, if every file tells how many it has.
  std::optional<std::uint64_t> exact_rows() const {
    std::uint64_t rows = 0;
    for (const auto index : files_) {
      const auto& file = scan_->files()[index];
      if (!file.row_count) return std::nullopt;
      rows += static_cast<std::uint64_t>(*file.row_count);
      if (file.deleted) rows -= std::min(rows, file.deleted->count());
    }
    return rows;
  }

 protected:
  OpenFileInfo GetFile(duckdb::idx_t index) const override {
    if (index >= files_.size()) return OpenFileInfo();
    const auto& file = scan_->files()[files_[index]];
    OpenFileInfo info(file.url);
    info.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
    info.extended_info->options[kFileOption] = Value::UBIGINT(files_[index]);
    info.extended_info->options["has_deletes"] =
        Value::BOOLEAN(file.deleted != nullptr);
    return info;
  }

 private:
  std::shared_ptr<const TableScan> scan_;
  std::vector<std::size_t> files_;
  std::vector<Comparison> conjuncts_;
};

// Leaves out the rows of one file that its table counts as deleted.
class DeletedRowsFilter final : public duckdb::DeleteFilter {
 public:
  explicit DeletedRowsFilter(std::shared_ptr<const data::DeletedRows> deleted)
      : deleted_(std::move(deleted)) {}

  duckdb::idx_t Filter(duckdb::row_t start, duckdb::idx_t count,
                       duckdb::SelectionVector& selection) override {
    std::array<bool, STANDARD_VECTOR_SIZE> keep{};
    selection.Initialize(count);
    duckdb::idx_t kept = 0;
    for (duckdb::idx_t done = 0; done < count; done += keep.size()) {
      const auto part = std::min<duckdb::idx_t>(keep.size(), count - done);
      deleted_->fill_kept(static_cast<std::uint64_t>(start) + done, part, keep.data());
      for (duckdb::idx_t i = 0; i < part; ++i) {
        if (keep[i]) selection.set_index(kept++, done + i);
      }
    }
    return kept;
  }

 private:
  std::shared_ptr<const data::DeletedRows> deleted_;
};

// A log can name files by absolute paths: who is kept to roots does not follow them
// out. Looked at when a file is opened, because a link can come to lie there at any
// time. (Deletion vectors outside of a table's root are not read at all.)
Status check_place(ClientContext& context, const TableScan& scan,
                   const data::DataFile& file) {
  const auto state = SessionState::of(context);
  if (!state || state->instance == nullptr) return {};
  const auto& options = state->instance->options();
  const bool confined =
      state->origin == engine::Origin::pipeline ||
      (state->origin == engine::Origin::user && options.confine_user) ||
      (state->options != nullptr && state->options->confined);
  if (!confined || options.roots.empty()) return {};
  auto allowed = options.roots;
  allowed.push_back(scan.table_url());
  auto inside = storage::confine(file.url, allowed);
  if (inside) return {};
  return std::move(inside).error().while_doing("table " + scan.table_url() + ", file " +
                                               file.path);
}

class TableReader final : public MultiFileReader {
 public:
  using MultiFileReader::CreateReader;
  explicit TableReader(duckdb::shared_ptr<ScanSource> source)
      : source_(std::move(source)) {
    function_name = source_->name;
  }

  static duckdb::unique_ptr<MultiFileReader> make(
      const duckdb::TableFunction& function) {
    auto source = duckdb::shared_ptr_cast<duckdb::TableFunctionInfo, ScanSource>(
        function.function_info);
    return duckdb::make_uniq<TableReader>(std::move(source));
  }

  const ScanSource& source() const { return *source_; }

  duckdb::unique_ptr<MultiFileReader> Copy() const override {
    return duckdb::make_uniq<TableReader>(source_);
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(
      ClientContext&, const duckdb::vector<std::string>&,
      const duckdb::FileGlobInput&) override {
    return duckdb::shared_ptr<duckdb::MultiFileList>(
        ScanFileList::all(source_->scan).release());
  }

  bool Bind(duckdb::MultiFileOptions& options, duckdb::MultiFileList&,
            duckdb::vector<LogicalType>& types, duckdb::vector<std::string>& names,
            duckdb::MultiFileReaderBindData& bind_data) override {
    options.auto_detect_hive_partitioning = false;
    options.hive_partitioning = false;
    options.union_by_name = false;
    for (const auto& field : source_->scan->schema().fields) {
      auto type = to_duckdb(field.type);
      if (!type) {
        throw_error(std::move(type).error().while_doing("column " + field.name));
      }
      names.push_back(field.name);
      types.push_back(std::move(type).value());
    }
    bind_data.schema = global_columns(source_->scan->schema(), types);
    bind_data.mapping = duckdb::MultiFileColumnMappingMode::BY_NAME;
    return true;
  }

  void FinalizeBind(duckdb::MultiFileReaderData& reader_data,
                    const duckdb::MultiFileOptions&,
                    const duckdb::MultiFileReaderBindData&,
                    const duckdb::vector<duckdb::MultiFileColumnDefinition>&,
                    const duckdb::vector<duckdb::ColumnIndex>& column_ids,
                    ClientContext&,
                    duckdb::optional_ptr<duckdb::MultiFileReaderGlobalState>) override {
    const auto index = file_index(*reader_data.reader);
    const auto& file = source_->scan->files()[index];
    const auto& fields = source_->scan->schema().fields;
    for (std::size_t i = 0; i < column_ids.size(); ++i) {
      const auto id = column_ids[i].GetPrimaryIndex();
      const duckdb::MultiFileGlobalIndex position(i);
      if (id == COLUMN_IDENTIFIER_FILE_INDEX) {
        reader_data.constant_map.Add(position, Value::UBIGINT(index));
      }
      if (duckdb::IsVirtualColumn(id)) continue;
      const auto constant = file.constants.find(fields[id].name);
      if (constant == file.constants.end()) continue;
      reader_data.constant_map.Add(
          position, value_or_throw(to_duckdb(constant->second, fields[id].type)));
    }
    if (file.deleted) {
      reader_data.reader->deletion_filter =
          duckdb::make_uniq<DeletedRowsFilter>(file.deleted);
    }
  }

  duckdb::shared_ptr<duckdb::BaseFileReader> CreateReader(
      ClientContext& context, duckdb::GlobalTableFunctionState& state,
      const OpenFileInfo& file, duckdb::idx_t index,
      const duckdb::MultiFileBindData& bind_data) override {
    const auto& scan = *source_->scan;
    const auto scan_index = file.extended_info->options.at(kFileOption);
    auto allowed =
        check_place(context, scan, scan.files()[scan_index.GetValue<std::uint64_t>()]);
    if (!allowed) throw_error(allowed.error());
    duckdb::shared_ptr<duckdb::BaseFileReader> reader;
    auto opened = run_guarded("", [&] {
      reader = MultiFileReader::CreateReader(context, state, file, index, bind_data);
    });
    if (opened) return reader;
    const bool named = opened.error().message().find(file.path) != std::string::npos;
    throw_error(named ? opened.error()
                      : std::move(opened).error().while_doing("file " + file.path));
  }

  duckdb::ReaderInitializeType CreateMapping(
      ClientContext& context, duckdb::MultiFileReaderData& reader_data,
      const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
      const duckdb::vector<duckdb::ColumnIndex>& column_ids,
      duckdb::optional_ptr<duckdb::TableFilterSet> filters,
      duckdb::MultiFileList& files, const duckdb::MultiFileReaderBindData& bind_data,
      const duckdb::virtual_column_map_t& virtual_columns) override {
    // By now the reader knows the file's own columns; they are given the table's names,
    // so that DuckDB can map by name whatever the table's mapping is.
    auto& reader = *reader_data.reader;
    name_as_table(source_->scan->schema(), source_->scan->column_mapping_mode(),
                  reader.columns);
    const auto mapped = columns_for_file(columns, reader.columns);
    duckdb::TableFilterSet kept;
    if (filters) fit_filters(*filters, column_ids, mapped, reader.columns, kept);
    return MultiFileReader::CreateMapping(
        context, reader_data, mapped, column_ids,
        filters ? duckdb::optional_ptr<duckdb::TableFilterSet>(&kept) : filters, files,
        bind_data, virtual_columns, bind_data.mapping);
  }

 private:
  static std::size_t file_index(const duckdb::BaseFileReader& reader) {
    return reader.file.extended_info->options.at(kFileOption).GetValue<std::uint64_t>();
  }

  duckdb::shared_ptr<ScanSource> source_;
};

duckdb::virtual_column_map_t hidden_columns(
    ClientContext&, duckdb::optional_ptr<duckdb::FunctionData> bind_data) {
  auto hidden = scan_hidden_columns();
  bind_data->Cast<duckdb::MultiFileBindData>().virtual_columns = hidden;
  return hidden;
}

// One partition with the number of rows, by which DuckDB answers count(*) at once.
duckdb::vector<duckdb::PartitionStatistics> row_count(
    ClientContext&, duckdb::GetPartitionStatsInput& input) {
  duckdb::vector<duckdb::PartitionStatistics> result;
  const auto& bind_data = input.bind_data->Cast<duckdb::MultiFileBindData>();
  const auto rows = bind_data.file_list->Cast<ScanFileList>().exact_rows();
  if (!rows) return result;
  duckdb::PartitionStatistics all;
  all.row_start = 0;
  all.count = *rows;
  all.count_type = duckdb::CountType::COUNT_EXACT;
  result.push_back(all);
  return result;
}

duckdb::BindInfo bind_info(duckdb::optional_ptr<duckdb::FunctionData> bind_data) {
  const auto* source = scan_source(bind_data.get());
  if (source != nullptr && source->entry != nullptr) {
    return duckdb::BindInfo(*source->entry);
  }
  return duckdb::BindInfo(duckdb::ScanType::EXTERNAL);
}

bool has_binary(const data::Type& type) {
  if (type.kind == data::TypeKind::binary) return true;
  return std::any_of(type.children.begin(), type.children.end(),
                     [](const data::Field& field) { return has_binary(field.type); });
}

}  // namespace

duckdb::virtual_column_map_t scan_hidden_columns() {
  duckdb::virtual_column_map_t hidden;
  hidden.insert({MultiFileReader::COLUMN_IDENTIFIER_FILE_INDEX,
                 duckdb::TableColumn("_lakemill_file", LogicalType::UBIGINT)});
  hidden.insert({MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER,
                 duckdb::TableColumn("_lakemill_row", LogicalType::BIGINT)});
  hidden.insert(
      {duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", LogicalType::BOOLEAN)});
  return hidden;
}

duckdb::TableFunction scan_function(ClientContext& context, const std::string& name) {
  auto& entry = duckdb::Catalog::GetSystemCatalog(context)
                    .GetEntry<duckdb::TableFunctionCatalogEntry>(
                        context, DEFAULT_SCHEMA, "parquet_scan");
  auto function =
      entry.functions.GetFunctionByArguments(context, {LogicalType::VARCHAR});
  function.name = name;
  function.get_multi_file_reader = TableReader::make;
  function.get_virtual_columns = hidden_columns;
  function.get_partition_stats = row_count;
  function.get_bind_info = bind_info;
  function.statistics = nullptr;
  function.serialize = nullptr;
  function.deserialize = nullptr;
  function.verify_serialization = false;
  return function;
}

BoundScan bind_scan(ClientContext& context, duckdb::shared_ptr<ScanSource> source) {
  const auto& fields = source->scan->schema().fields;
  if (fields.empty()) {
    throw_error(Error(ErrorCode::invalid,
                      "table " + source->scan->table_url() + " has no columns"));
  }
  const bool binary =
      std::any_of(fields.begin(), fields.end(),
                  [](const data::Field& field) { return has_binary(field.type); });
  auto function = scan_function(context, "lakemill_scan");
  function.function_info = source;
  duckdb::vector<Value> inputs{Value("")};
  duckdb::named_parameter_map_t named;
  // Statistics of files say nothing of NaN, which DuckDB holds to be the greatest.
  named["can_have_nan"] = Value::BOOLEAN(true);
  // Old writers leave text unmarked.
  if (!binary) named["binary_as_string"] = Value::BOOLEAN(true);
  duckdb::vector<LogicalType> input_types;
  duckdb::vector<std::string> input_names;
  duckdb::TableFunctionRef reference;
  duckdb::TableFunctionBindInput input(inputs, named, input_types, input_names,
                                       function.function_info.get(), nullptr, function,
                                       reference);
  duckdb::vector<LogicalType> types;
  duckdb::vector<std::string> names;
  auto bind_data = function.bind(context, input, types, names);
  return {std::move(function), std::move(bind_data), std::move(types),
          std::move(names)};
}

const ScanSource* scan_source(const duckdb::FunctionData* bind_data) {
  const auto* data = dynamic_cast<const duckdb::MultiFileBindData*>(bind_data);
  if (data == nullptr) return nullptr;
  const auto* reader = dynamic_cast<const TableReader*>(data->multi_file_reader.get());
  return reader == nullptr ? nullptr : &reader->source();
}

}  // namespace lakemill::engine_duckdb

#include "lakemill/engine_duckdb/parquet_files.h"

#include "lakemill/engine_duckdb/column_mapping.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::MultiFileReader;

// DuckDB's reader of plain files, but for the filters.
class PlainReader final : public MultiFileReader {
 public:
  static duckdb::unique_ptr<MultiFileReader> make(const duckdb::TableFunction&) {
    return duckdb::make_uniq<PlainReader>();
  }

  duckdb::unique_ptr<MultiFileReader> Copy() const override {
    auto copy = duckdb::make_uniq<PlainReader>();
    copy->function_name = function_name;
    return copy;
  }

  duckdb::ReaderInitializeType CreateMapping(
      duckdb::ClientContext& context, duckdb::MultiFileReaderData& reader_data,
      const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
      const duckdb::vector<duckdb::ColumnIndex>& column_ids,
      duckdb::optional_ptr<duckdb::TableFilterSet> filters,
      duckdb::MultiFileList& files, const duckdb::MultiFileReaderBindData& bind_data,
      const duckdb::virtual_column_map_t& virtual_columns) override {
    duckdb::TableFilterSet fitted;
    if (filters) {
      fit_filters(*filters, column_ids, columns, reader_data.reader->columns, fitted);
    }
    return MultiFileReader::CreateMapping(
        context, reader_data, columns, column_ids,
        filters ? duckdb::optional_ptr<duckdb::TableFilterSet>(&fitted) : filters,
        files, bind_data, virtual_columns, bind_data.mapping);
  }
};

}  // namespace

void mend_parquet_filters(duckdb::ClientContext& context) {
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  for (const char* name : {"read_parquet", "parquet_scan"}) {
    auto& entry = catalog.GetEntry<duckdb::TableFunctionCatalogEntry>(
        context, DEFAULT_SCHEMA, name);
    for (auto& function : entry.functions.functions) {
      function.get_multi_file_reader = PlainReader::make;
    }
  }
}

}  // namespace lakemill::engine_duckdb

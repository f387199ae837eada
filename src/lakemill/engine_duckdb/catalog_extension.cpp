#include "lakemill/engine_duckdb/catalog_extension.h"

#include <set>

#include <duckdb/catalog/catalog_entry/schema_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/view_catalog_entry.hpp>
#include <duckdb/catalog/entry_lookup_info.hpp>
#include <duckdb/main/attached_database.hpp>
#include <duckdb/parser/parsed_data/attach_info.hpp>
#include <duckdb/parser/parsed_data/create_schema_info.hpp>
#include <duckdb/parser/parsed_data/create_table_info.hpp>
#include <duckdb/parser/parsed_data/create_view_info.hpp>
#include <duckdb/parser/parsed_data/drop_info.hpp>
#include <duckdb/planner/tableref/bound_at_clause.hpp>
#include <duckdb/storage/database_size.hpp>
#include <duckdb/storage/statistics/base_statistics.hpp>
#include <duckdb/storage/storage_extension.hpp>
#include <duckdb/storage/table_storage_info.hpp>
#include <duckdb/transaction/transaction.hpp>
#include <duckdb/transaction/transaction_manager.hpp>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/error_mapping.h"
#include "lakemill/engine_duckdb/named_tables.h"
#include "lakemill/engine_duckdb/sql_gate.h"
#include "lakemill/engine_duckdb/table_versions.h"
#include "lakemill/engine_duckdb/type_mapping.h"

namespace lakemill::engine_duckdb {
namespace {

using duckdb::CatalogEntry;
using duckdb::CatalogTransaction;
using duckdb::CatalogType;
using duckdb::ClientContext;
using duckdb::EntryLookupInfo;
using duckdb::LogicalType;
using duckdb::optional_ptr;
using duckdb::PhysicalOperator;
using duckdb::PhysicalPlanGenerator;

constexpr char kSeparator = '\x1f';

[[noreturn]] void refuse_change() {
  throw_error(Error(ErrorCode::denied,
                    "SQL may only read tables; they are written by pipelines"));
}

// A table as one statement sees it.
class TableEntry final : public duckdb::TableCatalogEntry {
 public:
  TableEntry(duckdb::Catalog& owner, duckdb::SchemaCatalogEntry& parent_schema,
             duckdb::CreateTableInfo& info, duckdb::shared_ptr<ScanSource> source)
      : TableCatalogEntry(owner, parent_schema, info), source_(std::move(source)) {
    source_->entry = this;
  }

  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(ClientContext&,
                                                           duckdb::column_t) override {
    return nullptr;
  }
  // What a DELETE would name rows by; without it DuckDB fails inside before it asks us.
  duckdb::vector<duckdb::column_t> GetRowIdColumns() const override {
    return {duckdb::MultiFileReader::COLUMN_IDENTIFIER_FILE_INDEX,
            duckdb::MultiFileReader::COLUMN_IDENTIFIER_FILE_ROW_NUMBER};
  }
  duckdb::virtual_column_map_t GetVirtualColumns() const override {
    return scan_hidden_columns();
  }
  duckdb::TableStorageInfo GetStorageInfo(ClientContext&) override { return {}; }
  duckdb::TableFunction GetScanFunction(
      ClientContext& context,
      duckdb::unique_ptr<duckdb::FunctionData>& bind_data) override {
    auto bound = bind_scan(context, source_);
    bind_data = std::move(bound.bind_data);
    return bound.function;
  }

 private:
  duckdb::shared_ptr<ScanSource> source_;
};

// Tables that a statement has looked up stay as they are until it ends.
class LakeTransaction final : public duckdb::Transaction {
 public:
  using Transaction::Transaction;
  std::map<std::string, duckdb::unique_ptr<CatalogEntry>> entries;
};

class LakeTransactions final : public duckdb::TransactionManager {
 public:
  using TransactionManager::TransactionManager;
  duckdb::Transaction& StartTransaction(ClientContext& context) override {
    auto transaction = duckdb::make_uniq<LakeTransaction>(*this, context);
    auto& result = *transaction;
    const std::lock_guard guard(mutex_);
    open_[&result] = std::move(transaction);
    return result;
  }
  duckdb::ErrorData CommitTransaction(ClientContext&,
                                      duckdb::Transaction& transaction) override {
    end(transaction);
    return {};
  }
  void RollbackTransaction(duckdb::Transaction& transaction) override {
    end(transaction);
  }
  void Checkpoint(ClientContext&, bool) override {}

 private:
  void end(duckdb::Transaction& transaction) {
    const std::lock_guard guard(mutex_);
    open_.erase(&transaction);
  }
  std::mutex mutex_;
  std::map<duckdb::Transaction*, duckdb::unique_ptr<duckdb::Transaction>> open_;
};

// One schema of one of our catalogs.
class LakeSchema final : public duckdb::SchemaCatalogEntry {
 public:
  LakeSchema(duckdb::Catalog& owner, duckdb::CreateSchemaInfo& info, TableId id)
      : SchemaCatalogEntry(owner, info), id_(std::move(id)) {}

  optional_ptr<CatalogEntry> LookupEntry(CatalogTransaction transaction,
                                         const EntryLookupInfo& lookup) override {
    const auto wanted_type = lookup.GetCatalogType();
    if (wanted_type != CatalogType::TABLE_ENTRY &&
        wanted_type != CatalogType::VIEW_ENTRY) {
      return nullptr;
    }
    if (!transaction.context || !transaction.transaction) return nullptr;
    auto& kept = transaction.transaction->Cast<LakeTransaction>().entries;
    auto key = name + kSeparator + lookup.GetEntryName();
    WantedVersion wanted;
    if (const auto at = lookup.GetAtClause()) {
      key += kSeparator + at->Unit() + kSeparator + at->GetValue().ToString();
      const bool by_version = equals_ignoring_case(at->Unit(), "version");
      (by_version ? wanted.version : wanted.instant) = at->GetValue();
    }
    if (const auto found = kept.find(key); found != kept.end()) {
      return found->second.get();
    }
    auto entry = open(*transaction.context, lookup.GetEntryName(), wanted);
    if (!entry) return nullptr;
    return (kept[key] = std::move(entry)).get();
  }

  void Scan(ClientContext& context, CatalogType wanted_type,
            const std::function<void(CatalogEntry&)>& callback) override {
    const auto state = SessionState::of(context);
    if (!state || state->instance == nullptr || state->instance->tables() == nullptr) {
      return;
    }
    if (wanted_type != CatalogType::TABLE_ENTRY &&
        wanted_type != CatalogType::VIEW_ENTRY) {
      return;
    }
    for (const auto& id : value_or_throw(state->instance->tables()->list())) {
      if (id.catalog != id_.catalog || id.schema != id_.schema) continue;
      const EntryLookupInfo lookup(CatalogType::TABLE_ENTRY, id.table);
      if (auto entry = LookupEntry(catalog.GetCatalogTransaction(context), lookup)) {
        callback(*entry);
      }
    }
  }
  void Scan(CatalogType, const std::function<void(CatalogEntry&)>&) override {}

  // Nothing is made or changed through SQL.
  using Transaction = CatalogTransaction;
  using Entry = optional_ptr<CatalogEntry>;
  Entry CreateTable(Transaction, duckdb::BoundCreateTableInfo&) override {
    refuse_change();
  }
  Entry CreateIndex(Transaction, duckdb::CreateIndexInfo&,
                    duckdb::TableCatalogEntry&) override {
    refuse_change();
  }
  Entry CreateFunction(Transaction, duckdb::CreateFunctionInfo&) override {
    refuse_change();
  }
  Entry CreateView(Transaction, duckdb::CreateViewInfo&) override { refuse_change(); }
  Entry CreateSequence(Transaction, duckdb::CreateSequenceInfo&) override {
    refuse_change();
  }
  Entry CreateTableFunction(Transaction, duckdb::CreateTableFunctionInfo&) override {
    refuse_change();
  }
  Entry CreateCopyFunction(Transaction, duckdb::CreateCopyFunctionInfo&) override {
    refuse_change();
  }
  Entry CreatePragmaFunction(Transaction, duckdb::CreatePragmaFunctionInfo&) override {
    refuse_change();
  }
  Entry CreateCollation(Transaction, duckdb::CreateCollationInfo&) override {
    refuse_change();
  }
  Entry CreateType(Transaction, duckdb::CreateTypeInfo&) override { refuse_change(); }
  void DropEntry(ClientContext&, duckdb::DropInfo&) override { refuse_change(); }
  void Alter(Transaction, duckdb::AlterInfo&) override { refuse_change(); }

 private:
  duckdb::unique_ptr<CatalogEntry> open(ClientContext& context,
                                        const std::string& table,
                                        const WantedVersion& wanted) {
    const auto state = SessionState::of(context);
    if (!state || state->instance == nullptr || state->instance->tables() == nullptr) {
      return nullptr;
    }
    auto full = id_;
    full.table = table;
    const auto text = full.catalog + "." + full.schema + "." + full.table;
    auto named = state->instance->tables()->open(full);
    if (!named) {
      if (named.error().code() == ErrorCode::not_found) return nullptr;
      throw_error(named.error());
    }
    if (!named->table) {
      if (wanted.version || wanted.instant) {
        throw_error(Error(ErrorCode::invalid,
                          text + " is a view, which has no versions; name the tables "
                                 "that it reads with AT instead"));
      }
      return make_view(context, full, text, named->view_sql);
    }
    auto scan = open_version(state.get(), *named->table, text, wanted);
    if (!scan) throw_error(std::move(scan).error().while_doing("table " + text));
    return make_table(full, text, std::move(*scan));
  }

  duckdb::unique_ptr<CatalogEntry> make_table(
      const TableId& full, const std::string& text,
      std::shared_ptr<const data::TableScan> scan) {
    duckdb::CreateTableInfo info(*this, full.table);
    for (const auto& field : scan->schema().fields) {
      auto column_type = to_duckdb(field.type);
      if (!column_type) {
        throw_error(std::move(column_type)
                        .error()
                        .while_doing("table " + text + ", column " + field.name));
      }
      info.columns.AddColumn(duckdb::ColumnDefinition(field.name, *column_type));
    }
    auto source = duckdb::make_shared_ptr<ScanSource>();
    source->scan = std::move(scan);
    source->name = text;
    return duckdb::make_uniq<TableEntry>(catalog, *this, info, std::move(source));
  }

  duckdb::unique_ptr<CatalogEntry> make_view(ClientContext& context,
                                             const TableId& full,
                                             const std::string& text,
                                             const std::string& sql) {
    // Whoever reads a view, its text is a pipeline's.
    auto statement =
        parse_statement(context, sql, engine::Origin::pipeline, full.catalog);
    if (!statement) {
      throw_error(std::move(statement).error().while_doing("view " + text));
    }
    duckdb::CreateViewInfo info(*this, full.table);
    info.query = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(
        std::move(*statement));
    return duckdb::make_uniq<duckdb::ViewCatalogEntry>(catalog, *this, info);
  }

  TableId id_;  // without a table
};

class LakeCatalog final : public duckdb::Catalog {
 public:
  using Catalog::Catalog;
  void Initialize(bool) override {}
  std::string GetCatalogType() override { return kCatalogName; }
  bool SupportsTimeTravel() const override { return true; }
  std::string GetDefaultSchema() const override { return "main.default"; }
  duckdb::DatabaseSize GetDatabaseSize(ClientContext&) override { return {}; }
  bool InMemory() override { return false; }
  std::string GetDBPath() override { return ""; }

  optional_ptr<duckdb::SchemaCatalogEntry> LookupSchema(
      CatalogTransaction, const EntryLookupInfo& lookup,
      duckdb::OnEntryNotFound if_absent) override {
    if (auto* schema = find_schema(lookup.GetEntryName())) return schema;
    if (if_absent == duckdb::OnEntryNotFound::RETURN_NULL) return nullptr;
    throw_error(
        Error(ErrorCode::not_found, "there is no schema " + lookup.GetEntryName()));
  }

  void ScanSchemas(ClientContext& context,
                   std::function<void(duckdb::SchemaCatalogEntry&)> callback) override {
    const auto state = SessionState::of(context);
    if (!state || state->instance == nullptr || state->instance->tables() == nullptr) {
      return;
    }
    std::set<std::string> names;
    for (const auto& id : value_or_throw(state->instance->tables()->list())) {
      names.insert(catalog_schema_name(id.catalog, id.schema));
    }
    for (const auto& name : names) {
      if (auto* schema = find_schema(name)) callback(*schema);
    }
  }

  optional_ptr<CatalogEntry> CreateSchema(CatalogTransaction,
                                          duckdb::CreateSchemaInfo&) override {
    refuse_change();
  }
  PhysicalOperator& PlanCreateTableAs(ClientContext&, PhysicalPlanGenerator&,
                                      duckdb::LogicalCreateTable&,
                                      PhysicalOperator&) override {
    refuse_change();
  }
  PhysicalOperator& PlanInsert(ClientContext&, PhysicalPlanGenerator&,
                               duckdb::LogicalInsert&,
                               optional_ptr<PhysicalOperator>) override {
    refuse_change();
  }
  PhysicalOperator& PlanDelete(ClientContext&, PhysicalPlanGenerator&,
                               duckdb::LogicalDelete&, PhysicalOperator&) override {
    refuse_change();
  }
  PhysicalOperator& PlanUpdate(ClientContext&, PhysicalPlanGenerator&,
                               duckdb::LogicalUpdate&, PhysicalOperator&) override {
    refuse_change();
  }

 private:
  void DropSchema(ClientContext&, duckdb::DropInfo&) override { refuse_change(); }

  LakeSchema* find_schema(const std::string& name) {
    const auto parts = split_schema_name(name);
    if (parts.schema.empty()) return nullptr;
    const std::lock_guard guard(mutex_);
    auto& schema = schemas_[name];
    if (!schema) {
      duckdb::CreateSchemaInfo info;
      info.schema = name;
      schema = duckdb::make_uniq<LakeSchema>(*this, info, parts);
    }
    return schema.get();
  }

  static TableId split_schema_name(const std::string& name) {
    const auto separator =
        name.find(kSeparator) != std::string::npos ? kSeparator : '.';
    const auto parts = split(name, separator);
    if (parts.size() != 2) return {};
    return {.catalog = parts[0], .schema = parts[1], .table = ""};
  }

  std::mutex mutex_;
  std::map<std::string, duckdb::unique_ptr<LakeSchema>> schemas_;  // guarded by mutex_
};

}  // namespace

std::string catalog_schema_name(const std::string& catalog, const std::string& schema) {
  const bool dotted =
      catalog.find('.') != std::string::npos || schema.find('.') != std::string::npos;
  return catalog + (dotted ? kSeparator : '.') + schema;
}

void register_catalog(duckdb::DBConfig& config) {
  auto extension = duckdb::make_shared_ptr<duckdb::StorageExtension>();
  extension->attach =
      [](optional_ptr<duckdb::StorageExtensionInfo>, ClientContext&,
         duckdb::AttachedDatabase& database, const std::string&, duckdb::AttachInfo&,
         duckdb::AttachOptions&) -> duckdb::unique_ptr<duckdb::Catalog> {
    return duckdb::make_uniq<LakeCatalog>(database);
  };
  extension->create_transaction_manager =
      [](optional_ptr<duckdb::StorageExtensionInfo>, duckdb::AttachedDatabase& database,
         duckdb::Catalog&) -> duckdb::unique_ptr<duckdb::TransactionManager> {
    return duckdb::make_uniq<LakeTransactions>(database);
  };
  duckdb::StorageExtension::Register(config, kCatalogName, extension);
}

void attach_catalog(duckdb::Connection& connection) {
  const auto result = connection.Query("ATTACH '' AS " + std::string(kCatalogName) +
                                       " (TYPE " + kCatalogName + ")");
  if (result->HasError()) result->ThrowError();
}

}  // namespace lakemill::engine_duckdb

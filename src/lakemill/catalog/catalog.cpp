#include "lakemill/catalog/catalog.h"

#include <algorithm>
#include <set>
#include <utility>

#include "lakemill/base/folder_name.h"
#include "lakemill/base/text.h"
#include "lakemill/catalog/drop.h"
#include "lakemill/storage/find_object.h"
#include "lakemill/storage/path.h"

namespace lakemill::catalog {

namespace {

constexpr std::size_t kOpenTablesMax = 1'000;  // beyond it, those not in use are closed
constexpr std::string_view kViewFolder = "_views/";
constexpr std::string_view kViewSuffix = ".sql";

CatalogPlaces normalized(CatalogPlaces places) {
  places.root = storage::normalize_path(places.root);
  for (auto& [schema, root] : places.schema_roots) root = storage::normalize_path(root);
  return places;
}

Status check_names(const TableName& name) {
  for (const auto* part : {&name.catalog, &name.schema, &name.table}) {
    LAKEMILL_TRY_OK(check_folder_name(*part));
  }
  return {};
}

std::string view_path(const std::string& view) {
  return std::string(kViewFolder) + view + std::string(kViewSuffix);
}

// A table's place as the folder it lies in and its name there.
struct Place {
  std::string parent_url;
  std::string folder;
};

Result<Place> place_of(std::string_view url) {
  const auto whole = storage::normalize_path(url);
  const auto slash = whole.rfind('/');
  const auto below_scheme =
      storage::has_scheme(whole) ? whole.find("://") + 3 : std::size_t{0};
  if (slash == std::string::npos || slash < below_scheme || slash + 1 == whole.size()) {
    return Error(ErrorCode::invalid,
                 "\"" + std::string(url) + "\" cannot be a table's folder");
  }
  return Place{slash == 0 ? "/" : whole.substr(0, slash), whole.substr(slash + 1)};
}

}  // namespace

Catalog::Catalog(CatalogPlaces places, storage::StoreProvider& stores,
                 delta::CheckpointFormat& format)
    : places_(normalized(std::move(places))), stores_(stores), format_(format) {}

Catalog::~Catalog() = default;

Result<TableName> Catalog::resolve(std::string_view text) const {
  return parse_table_name(text, places_.defaults);
}

const std::string& Catalog::root_of(const std::string& schema) const {
  const auto own = places_.schema_roots.find(schema);
  return own == places_.schema_roots.end() ? places_.root : own->second;
}

std::string Catalog::schema_url(const std::string& catalog,
                                const std::string& schema) const {
  return storage::join_path(storage::join_path(root_of(schema), catalog), schema);
}

std::string Catalog::url_of(const TableName& name) const {
  return storage::join_path(schema_url(name.catalog, name.schema), name.table);
}

Result<std::shared_ptr<storage::ObjectStore>> Catalog::schema_store(
    const std::string& catalog, const std::string& schema) {
  LAKEMILL_TRY_OK(check_folder_name(catalog));
  LAKEMILL_TRY_OK(check_folder_name(schema));
  return stores_.open(schema_url(catalog, schema));
}

Result<std::shared_ptr<delta::Table>> Catalog::open(const TableName& name) {
  LAKEMILL_TRY_OK(check_names(name));
  return open_url(url_of(name));
}

Result<std::shared_ptr<delta::Table>> Catalog::open_url(std::string_view url) {
  LAKEMILL_TRY(auto store, stores_.open(url));
  const std::string key = store->url();
  {
    const std::lock_guard lock(mutex_);
    const auto known = open_.find(key);
    if (known != open_.end()) return known->second;
  }
  LAKEMILL_TRY(const auto place, place_of(key));
  LAKEMILL_TRY(auto parent, stores_.open(place.parent_url));
  LAKEMILL_TRY([[maybe_unused]] const bool ended, finish_drop(*parent, place.folder));

  const std::lock_guard lock(mutex_);
  if (open_.size() >= kOpenTablesMax) {
    std::erase_if(open_,
                  [](const auto& entry) { return entry.second.use_count() == 1; });
  }
  auto& table = open_[key];  // somebody may have been faster
  if (!table) table = std::make_shared<delta::Table>(std::move(store), format_);
  return table;
}

void Catalog::forget(const std::string& url) {
  const std::lock_guard lock(mutex_);
  open_.erase(url);
}

Result<bool> Catalog::table_exists(const TableName& name) {
  LAKEMILL_TRY_OK(check_names(name));
  LAKEMILL_TRY(auto store, schema_store(name.catalog, name.schema));
  return holds_table(*store, name.table);
}

Result<std::vector<std::string>> Catalog::list_catalogs() {
  std::set<std::string> roots = {places_.root};
  for (const auto& [schema, root] : places_.schema_roots) roots.insert(root);
  std::set<std::string> catalogs;
  for (const auto& root : roots) {
    LAKEMILL_TRY(auto store, stores_.open(root));
    LAKEMILL_TRY(const auto folders, store->list_folders(""));
    for (const auto& folder : folders) {
      if (!check_folder_name(folder)) continue;
      LAKEMILL_TRY(const auto schemas, list_schemas(folder));
      if (!schemas.empty()) catalogs.insert(folder);
    }
  }
  return std::vector<std::string>(catalogs.begin(), catalogs.end());
}

Result<std::vector<std::string>> Catalog::list_schemas(const std::string& catalog) {
  LAKEMILL_TRY_OK(check_folder_name(catalog));
  LAKEMILL_TRY(auto store, stores_.open(storage::join_path(places_.root, catalog)));
  LAKEMILL_TRY(const auto folders, store->list_folders(""));
  std::set<std::string> candidates(folders.begin(), folders.end());
  for (const auto& [schema, root] : places_.schema_roots) candidates.insert(schema);
  std::vector<std::string> schemas;
  for (const auto& schema : candidates) {
    if (!check_folder_name(schema)) continue;
    LAKEMILL_TRY(const auto tables, list_tables(catalog, schema));
    LAKEMILL_TRY(const auto views, list_views(catalog, schema));
    if (!tables.empty() || !views.empty()) schemas.push_back(schema);
  }
  return schemas;
}

Result<std::vector<std::string>> Catalog::list_tables(const std::string& catalog,
                                                      const std::string& schema) {
  LAKEMILL_TRY(auto store, schema_store(catalog, schema));
  LAKEMILL_TRY(const auto folders, store->list_folders(""));
  std::vector<std::string> tables;
  for (const auto& folder : folders) {
    if (!check_folder_name(folder)) continue;
    LAKEMILL_TRY(const bool is_table, holds_table(*store, folder));
    if (is_table) tables.push_back(folder);
  }
  return tables;
}

Error Catalog::no_such(std::string_view kind, const TableName& name,
                       const Result<std::vector<std::string>>& there) const {
  auto message = "no " + std::string(kind) + " " + to_text(name) + " in " +
                 schema_url(name.catalog, name.schema);
  if (there) {
    const auto meant = nearest(name.table, there.value());
    if (meant) message += "; did you mean " + *meant + "?";
  }
  return {ErrorCode::not_found, std::move(message)};
}

Status Catalog::drop_table(const TableName& name) {
  LAKEMILL_TRY_OK(check_names(name));
  auto dropped = drop_url(url_of(name));
  if (dropped || dropped.error().code() != ErrorCode::not_found) return dropped;
  return no_such("table", name, list_tables(name.catalog, name.schema));
}

Status Catalog::drop_url(std::string_view url) {
  LAKEMILL_TRY(auto store, stores_.open(url));
  LAKEMILL_TRY(const auto place, place_of(store->url()));
  LAKEMILL_TRY(auto parent, stores_.open(place.parent_url));
  auto dropped = catalog::drop_table(*parent, place.folder);
  // even a failed drop may have begun: whoever asks next opens it anew, and so ends it
  forget(store->url());
  return dropped;
}

Status Catalog::put_view(const TableName& name, std::string_view sql) {
  LAKEMILL_TRY_OK(check_names(name));
  if (trim(sql).empty()) {
    return Error(ErrorCode::invalid, "view " + to_text(name) + ": its query is empty");
  }
  LAKEMILL_TRY(auto store, schema_store(name.catalog, name.schema));
  LAKEMILL_TRY(const bool is_table, holds_table(*store, name.table));
  if (is_table) {
    return Error(ErrorCode::invalid, "view " + to_text(name) +
                                         ": a table has this name; drop it or choose "
                                         "another name");
  }
  return store->put(view_path(name.table), sql);
}

Result<std::string> Catalog::get_view(const TableName& name) {
  LAKEMILL_TRY_OK(check_names(name));
  LAKEMILL_TRY(auto store, schema_store(name.catalog, name.schema));
  LAKEMILL_TRY(auto sql, storage::find_object(*store, view_path(name.table)));
  if (sql) return *std::move(sql);
  return no_such("view", name, list_views(name.catalog, name.schema));
}

Result<std::vector<std::string>> Catalog::list_views(const std::string& catalog,
                                                     const std::string& schema) {
  LAKEMILL_TRY(auto store, schema_store(catalog, schema));
  LAKEMILL_TRY(const auto objects, store->list(kViewFolder, ""));
  std::vector<std::string> views;
  for (const auto& object : objects) {
    std::string_view name = object.path;
    name.remove_prefix(kViewFolder.size());
    if (!name.ends_with(kViewSuffix)) continue;
    name.remove_suffix(kViewSuffix.size());
    if (check_folder_name(name)) views.emplace_back(name);
  }
  std::sort(views.begin(), views.end());  // ".sql" is gone, which may change the order
  return views;
}

Status Catalog::drop_view(const TableName& name) {
  LAKEMILL_TRY_OK(check_names(name));
  LAKEMILL_TRY(auto store, schema_store(name.catalog, name.schema));
  auto there = store->head(view_path(name.table));
  if (there) return store->remove(view_path(name.table));
  if (there.error().code() != ErrorCode::not_found) return std::move(there).error();
  return no_such("view", name, list_views(name.catalog, name.schema));
}

}  // namespace lakemill::catalog

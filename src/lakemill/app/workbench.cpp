#include "lakemill/app/workbench.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "lakemill/app/catalog_tables.h"
#include "lakemill/app/event_files.h"
#include "lakemill/app/object_stores.h"
#include "lakemill/app/secret_engine.h"
#include "lakemill/base/text.h"
#include "lakemill/delta/table_properties.h"
#include "lakemill/engine_duckdb/duckdb_engine.h"
#include "lakemill/engine_duckdb/sql_syntax.h"
#include "lakemill/engine_spark/spark_engine.h"
#include "lakemill/engine_spark/spark_remote.h"
#include "lakemill/flow/file_arguments.h"
#include "lakemill/language/variables.h"
#include "lakemill/sources/file_listing.h"
#include "lakemill/sources/postgres/postgres_source.h"
#include "lakemill/storage/path.h"

namespace lakemill::app {

namespace {

constexpr std::string_view kProjectFile = "lakemill.yaml";

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

engine_duckdb::PredicateUse use_of(language::SqlForm form) {
  using engine_duckdb::PredicateUse;
  switch (form) {
    case language::SqlForm::filter:
      return PredicateUse::filter;
    case language::SqlForm::condition:
      return PredicateUse::condition;
    case language::SqlForm::row_check:
      return PredicateUse::row_check;
    case language::SqlForm::aggregate_check:
      return PredicateUse::aggregate;
    case language::SqlForm::query:
    case language::SqlForm::expression:
      break;
  }
  return PredicateUse::any;
}

std::optional<language::SqlFault> parse_sql(std::string_view sql,
                                            language::SqlForm form) {
  auto fault = form == language::SqlForm::query
                   ? engine_duckdb::fault_in_query(sql)
                   : engine_duckdb::fault_in_predicate(sql, use_of(form));
  if (fault) return language::SqlFault{std::move(fault->message), fault->offset};
  if (form != language::SqlForm::query) return std::nullopt;
  // What stands for a secret here, as its own text or within quotes.
  constexpr std::string_view kSecret = "{secret.";
  if (sql.find(kSecret) == std::string_view::npos) return std::nullopt;
  const auto nameless = engine_duckdb::nameless_column(sql, kSecret);
  if (!nameless) return std::nullopt;
  return language::SqlFault{
      "a column without a name would be called by its expression, which holds a "
      "secret, and names of columns are stored; give it a name with AS",
      nameless};
}

std::vector<language::TableMention> tables_in_sql(std::string_view sql,
                                                  language::SqlForm form) {
  auto tables = form == language::SqlForm::query
                    ? engine_duckdb::tables_in_query(sql)
                    : engine_duckdb::tables_in_predicate(sql);
  std::vector<language::TableMention> mentions;
  for (auto& table : tables) {
    mentions.push_back({{std::move(table.catalog),
                         std::move(table.schema),
                         std::move(table.table),
                         {}},
                        std::move(table.place),
                        table.offset});
  }
  return mentions;
}

std::optional<std::string> fault_in_property(const std::string& name,
                                             const std::string& value) {
  const auto checked = delta::check_properties({{name, value}});
  if (checked) return std::nullopt;
  return checked.error().message();
}

// Without a reader.
language::LoadOptions load_options(const OpenRequest& request) {
  language::LoadOptions options;
  options.environment_variable = environment_variable;
  options.variables = request.variables;
  options.variable_files = request.variable_files;
  options.environment = request.environment;
  options.parameters = request.parameters;
  options.allow_missing_parameters = request.allow_missing_parameters;
  options.with_test_files = request.with_test_files;
  options.sql_parser = parse_sql;
  options.table_namer = tables_in_sql;
  options.property_check = fault_in_property;
  for (const events::EventTypeInfo& type : events::event_types()) {
    options.event_types.emplace_back(type.name);
  }
  return options;
}

// The project file in `folder` or the nearest one above; empty if there is none.
std::string find_project_file(std::string folder) {
  while (true) {
    const std::string candidate = storage::join_path(folder, kProjectFile);
    std::error_code ignored;
    if (std::filesystem::is_regular_file(candidate, ignored)) return candidate;
    if (folder == "/" || folder.empty()) return "";
    folder = language::folder_of(folder);
    if (folder.empty()) folder = "/";
  }
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::string system_temporary_folder() {
  std::error_code fault;
  std::string folder = std::filesystem::temp_directory_path(fault).string();
  return fault ? "/tmp" : folder;
}

// The folder from which the project is looked for.
std::string start_folder(const OpenRequest& request) {
  if (request.pipeline.empty()) return request.working_folder;
  const std::string path = storage::normalize_path(
      storage::join_path(request.working_folder, request.pipeline));
  if (is_folder(path)) return path;
  if (is_file(path)) return language::folder_of(path);
  return request.working_folder;
}

void merge(language::Diagnostics& into, const language::Diagnostics& found) {
  for (const language::Diagnostic& diagnostic : found.sorted()) into.add(diagnostic);
}

// What may have been meant by `name`, or else what there is.
std::string suggestion(const std::string& name, const std::vector<std::string>& known) {
  if (const auto guess = nearest(name, known))
    return "; did you mean '" + *guess + "'?";
  return known.empty() ? "" : "; there are: " + join(known, ", ");
}

// The name of a table or view, in full, that may have been meant by `wanted`.
std::optional<std::string> nearest_table(catalog::Catalog& catalog,
                                         const catalog::TableName& wanted) {
  std::vector<std::string> known;
  const auto catalogs = catalog.list_catalogs();
  for (const std::string& name : catalogs ? *catalogs : std::vector<std::string>()) {
    const auto schemas = catalog.list_schemas(name);
    for (const std::string& schema : schemas ? *schemas : std::vector<std::string>()) {
      for (const auto& listed :
           {catalog.list_tables(name, schema), catalog.list_views(name, schema)}) {
        if (!listed) continue;
        for (const std::string& table : *listed) {
          known.push_back(name + "." + schema + "." + table);
        }
      }
    }
  }
  return nearest(to_text(wanted), known);
}

Error faulty(const std::string& file) {
  return {ErrorCode::invalid, file + " has errors"};
}

}  // namespace

Workbench::Workbench(language::Project project) : project_(std::move(project)) {}

Workbench::~Workbench() {
  const std::lock_guard lock(events_mutex_);
  event_writer_.reset();  // writes what is left while the engine still lives
}

Result<std::unique_ptr<Workbench>> Workbench::open_without_engines(
    const OpenRequest& request, language::Diagnostics& diagnostics) {
  const std::string folder = start_folder(request);
  const std::string file = find_project_file(folder);
  language::Project project;
  if (file.empty()) {
    project.folder = folder;
    project.root = ".";
  } else {
    language::LocalFileReader reader;
    language::LoadOptions options = load_options(request);
    options.reader = &reader;
    auto loaded = language::load_project(file, options);
    merge(diagnostics, loaded.diagnostics);
    if (!loaded.project) return faulty(file);
    project = *std::move(loaded.project);
    project.folder = language::folder_of(file);
    if (project.root.empty()) project.root = ".";
  }
  std::unique_ptr<Workbench> workbench(new Workbench(std::move(project)));
  workbench->request_ = request;
  workbench->start_storage(request);
  return workbench;
}

Result<std::unique_ptr<Workbench>> Workbench::open_project(
    const OpenRequest& request, language::Diagnostics& diagnostics) {
  LAKEMILL_TRY(auto workbench, open_without_engines(request, diagnostics));
  LAKEMILL_TRY_OK(workbench->start_engines());
  return workbench;
}

Result<std::unique_ptr<Workbench>> Workbench::open(const OpenRequest& request,
                                                   language::Diagnostics& diagnostics) {
  LAKEMILL_TRY(auto workbench, open_without_engines(request, diagnostics));
  LAKEMILL_TRY_OK(workbench->load_pipelines(request, diagnostics));
  if (request.check_project) {
    LAKEMILL_TRY_OK(workbench->check_project(request, diagnostics));
  }
  LAKEMILL_TRY_OK(workbench->start_engines());
  return workbench;
}

Status Workbench::load_pipelines(const OpenRequest& request,
                                 language::Diagnostics& diagnostics) {
  const std::string path = storage::normalize_path(
      storage::join_path(request.working_folder, request.pipeline));
  if (!request.pipeline.empty() && is_file(path)) {
    return load_pipeline(path, request, diagnostics);
  }
  const bool by_name = !request.pipeline.empty() && !is_folder(path);
  if (project_.file.empty() && project_.pipelines.empty()) {
    if (by_name) {
      return Error(ErrorCode::not_found, "no pipeline file " + request.pipeline);
    }
    return Error(ErrorCode::not_found,
                 "no lakemill.yaml in " + project_.folder +
                     " or above; name a pipeline file, or make a project with "
                     "`lakemill init`");
  }
  std::vector<std::string> names;
  language::Diagnostics of_others;
  std::optional<Error> faulty_file;
  for (const std::string& pattern : project_.pipelines) {
    LAKEMILL_TRY(
        const auto files,
        sources::list_files(*stores_, storage::normalize_path(storage::join_path(
                                          project_.folder, pattern))));
    if (files.empty()) {
      return Error(ErrorCode::not_found,
                   "no pipeline file fits '" + pattern + "' of " + project_.file);
    }
    for (const auto& file : files) {
      if (!by_name) {
        LAKEMILL_TRY_OK(load_pipeline(file.path, request, diagnostics));
        continue;
      }
      language::Diagnostics own;  // what is wrong with others is no matter here
      const Status loaded = load_pipeline(file.path, request, own);
      if (loaded) names.push_back(pipelines_.back().name);
      if (loaded && names.back() == request.pipeline) {
        merge(diagnostics, own);
        continue;
      }
      if (loaded) pipelines_.pop_back();
      if (!loaded && !faulty_file) faulty_file = loaded.error();
      merge(of_others, own);
    }
  }
  if (!by_name || !pipelines_.empty()) return check_names();
  if (faulty_file) {  // it may be the one
    merge(diagnostics, of_others);
    return *faulty_file;
  }
  return Error(ErrorCode::not_found, "no pipeline '" + request.pipeline + "'" +
                                         suggestion(request.pipeline, names));
}

Status Workbench::load_pipeline(const std::string& path, const OpenRequest& request,
                                language::Diagnostics& diagnostics) {
  language::LocalFileReader reader;
  LAKEMILL_TRY(auto pipeline, read_pipeline(path, request, reader, diagnostics));
  pipelines_.push_back(std::move(pipeline));
  return {};
}

Result<language::Pipeline> Workbench::read_pipeline(
    const std::string& path, const OpenRequest& request, language::FileReader& reader,
    language::Diagnostics& diagnostics) const {
  language::LoadOptions options = load_options(request);
  options.reader = &reader;
  options.project = &project_;
  auto loaded = language::load_pipeline(path, options);
  merge(diagnostics, loaded.diagnostics);
  if (!loaded.pipeline) return faulty(path);
  language::Diagnostics of_files;
  flow::check_file_arguments(*loaded.pipeline, of_files);
  merge(diagnostics, of_files);
  if (of_files.has_errors()) return faulty(path);
  return *std::move(loaded.pipeline);
}

Result<language::Pipeline> Workbench::load_again(const language::Pipeline& pipeline,
                                                 language::LoadOptions options) const {
  language::LocalFileReader reader;
  options.reader = &reader;
  options.project = &project_;
  options.with_test_files = false;
  auto loaded = language::load_pipeline(pipeline.file, options);
  if (!loaded.pipeline) {
    return Error(ErrorCode::invalid, loaded.diagnostics.to_text());
  }
  return *std::move(loaded.pipeline);
}

Result<language::Pipeline> Workbench::with_variables(
    const language::Pipeline& pipeline,
    const std::map<std::string, std::string>& variables) const {
  language::LoadOptions options = load_options(request_);
  options.variables.insert(options.variables.end(), variables.begin(), variables.end());
  return load_again(pipeline, std::move(options));
}

Result<language::Pipeline> Workbench::with_parameters(
    const language::Pipeline& pipeline,
    const std::map<std::string, std::string>& parameters) const {
  language::LoadOptions options = load_options(request_);
  options.parameters.assign(parameters.begin(), parameters.end());
  options.allow_missing_parameters = false;
  return load_again(pipeline, std::move(options));
}

Result<std::vector<std::string>> Workbench::pipeline_files() const {
  std::vector<std::string> all;
  for (const std::string& pattern : project_.pipelines) {
    LAKEMILL_TRY(
        const auto files,
        sources::list_files(*stores_, storage::normalize_path(storage::join_path(
                                          project_.folder, pattern))));
    for (const auto& file : files) {
      if (std::find(all.begin(), all.end(), file.path) == all.end()) {
        all.push_back(file.path);
      }
    }
  }
  return all;
}

Result<language::Pipeline> Workbench::read(const std::string& file,
                                           std::set<std::string>& files,
                                           language::Diagnostics& diagnostics) {
  language::LocalFileReader local;
  language::NotingFileReader noting(local);
  auto pipeline = read_pipeline(file, request_, noting, diagnostics);
  files = noting.files();
  files.insert(file);
  if (pipeline) LAKEMILL_TRY_OK(start_engine_of(*pipeline));
  return pipeline;
}

std::vector<std::string> Workbench::allowed_roots() const {
  std::vector<std::string> roots = {project_.folder, root_};
  for (const std::string& extra : project_.roots) {
    roots.push_back(
        storage::normalize_path(storage::join_path(project_.folder, extra)));
  }
  for (const auto& [layer, options] : project_.layers) {
    if (!options.root.empty()) {
      roots.push_back(
          storage::normalize_path(storage::join_path(project_.folder, options.root)));
    }
  }
  return roots;
}

void Workbench::start_storage(const OpenRequest& request) {
  working_folder_ = request.working_folder;
  root_ = storage::normalize_path(storage::join_path(project_.folder, project_.root));
  secrets_ = std::make_unique<Secrets>(project_.secrets, project_.folder);
  store_client_ = make_store_client(environment_variable);
  stores_ = make_stores({project_, *secrets_, *store_client_, clock_, random_},
                        environment_variable);
  checkpoints_ = engine_duckdb::make_checkpoint_format(*stores_);
  catalog::CatalogPlaces places;
  places.root = root_;
  places.defaults = {project_.catalog, "default"};
  for (const auto& [layer, options] : project_.layers) {
    if (options.root.empty()) continue;
    static const std::map<language::Layer, std::string> kNames = {
        {language::Layer::bronze, "bronze"},
        {language::Layer::silver, "silver"},
        {language::Layer::gold, "gold"}};
    const auto name = kNames.find(layer);
    if (name == kNames.end()) continue;
    places.schema_roots[options.schema.empty() ? name->second : options.schema] =
        storage::normalize_path(storage::join_path(project_.folder, options.root));
  }
  catalog_ =
      std::make_unique<catalog::Catalog>(std::move(places), *stores_, *checkpoints_);
}

// Two pipelines of one name would share what their flows know.
Status Workbench::check_names() const {
  std::map<std::string, const language::Pipeline*> known;
  for (const language::Pipeline& pipeline : pipelines_) {
    const auto [first, is_new] = known.emplace(pipeline.name, &pipeline);
    if (is_new) continue;
    return Error(ErrorCode::invalid, to_text(pipeline.location) +
                                         ": two pipelines of the project are called '" +
                                         pipeline.name + "'; the other is " +
                                         first->second->file);
  }
  return {};
}

engine::Engine& Workbench::engine() {
  const std::lock_guard lock(engines_mutex_);
  return *engines_.front().plain;
}

Status Workbench::start_engines() {
  if (pipelines_.size() != 1) {
    const std::lock_guard lock(engines_mutex_);
    LAKEMILL_TRY_OK(add_engine(project_settings()));
  }
  for (const language::Pipeline& pipeline : pipelines_) {
    LAKEMILL_TRY_OK(start_engine_of(pipeline));
  }
  event_files_ = make_event_files(engine(), *stores_, clock_);
  return {};
}

Status Workbench::start_engine_of(const language::Pipeline& pipeline) {
  const language::EngineOptions settings = settings_of(pipeline);
  const std::lock_guard lock(engines_mutex_);
  const bool known = std::any_of(
      engines_.begin(), engines_.end(),
      [&](const EngineOfSettings& item) { return item.settings == settings; });
  return known ? Status() : add_engine(settings);
}

Status Workbench::add_engine(language::EngineOptions settings) {
  engine_duckdb::DuckdbOptions options;
  options.memory_limit_bytes = settings.memory_limit_bytes.value_or(0);
  options.threads = static_cast<int>(settings.threads.value_or(0));
  // Processes that spill into one folder must not meet there.
  options.temporary_folder = storage::join_path(settings.temporary_folder,
                                                "lakemill-spill-" + make_uuid(random_));
  options.temporary_bytes_max = settings.temporary_bytes_max.value_or(0);
  options.roots = allowed_roots();
  options.base_folder = working_folder_;
  options.confine_user = request_.confine_user_sql;
  options.default_catalog = project_.catalog;
  EngineOfSettings started;
  started.settings = std::move(settings);
  LAKEMILL_TRY(started.plain,
               engine_duckdb::make_duckdb_engine(std::move(options), *stores_,
                                                 make_catalog_tables(*catalog_)));
  started.with_secrets = make_secret_engine(*started.plain, *secrets_);
  LAKEMILL_TRY_OK(add_spark(started));
  engines_.push_back(std::move(started));
  return {};
}

language::EngineOptions Workbench::project_settings() const {
  language::EngineOptions settings = project_.engine;
  settings.temporary_folder = settings.temporary_folder.empty()
                                  ? system_temporary_folder()
                                  : storage::normalize_path(storage::join_path(
                                        project_.folder, settings.temporary_folder));
  return settings;
}

language::EngineOptions Workbench::settings_of(
    const language::Pipeline& pipeline) const {
  language::EngineOptions settings = project_settings();
  const language::EngineOptions& own = pipeline.engine;
  if (own.memory_limit_bytes) settings.memory_limit_bytes = own.memory_limit_bytes;
  if (own.threads) settings.threads = own.threads;
  if (own.temporary_bytes_max) settings.temporary_bytes_max = own.temporary_bytes_max;
  if (!own.spark_remote.empty()) settings.spark_remote = own.spark_remote;
  if (own.spark_timeout) settings.spark_timeout = own.spark_timeout;
  if (!own.temporary_folder.empty()) {
    settings.temporary_folder = storage::normalize_path(
        storage::join_path(pipeline.folder, own.temporary_folder));
  }
  return settings;
}

const Workbench::EngineOfSettings& Workbench::engine_of(
    const language::Pipeline& pipeline) const {
  const language::EngineOptions settings = settings_of(pipeline);
  const std::lock_guard lock(engines_mutex_);
  for (const EngineOfSettings& item : engines_) {
    if (item.settings == settings) return item;
  }
  return engines_.front();
}

// What runs on Spark may take its time before anything is answered.
Status Workbench::add_spark(EngineOfSettings& started) {
  const language::EngineOptions& settings = started.settings;
  if (settings.spark_remote.empty()) return {};
  if (settings.spark_remote.find("${secret") == std::string::npos) {
    LAKEMILL_TRY(const auto remote, engine_spark::parse_remote(settings.spark_remote));
    (void)remote;  // told before anything runs
  }
  engine_spark::SparkOptions options;
  options.remote = [this, remote = settings.spark_remote] {
    return secrets_->in_text(remote);
  };
  if (settings.spark_timeout) {
    options.statement_timeout_ms_max =
        std::chrono::duration_cast<std::chrono::milliseconds>(*settings.spark_timeout);
  }
  if (spark_client_ == nullptr) {
    net::HttpOptions http;
    http.stall_timeout = std::chrono::hours(24);  // the statement's own timeout rules
    spark_client_ = net::make_http_client(http);
  }
  started.spark = engine_spark::make_spark_engine(
      std::move(options), {*started.plain, *spark_client_, *catalog_, random_});
  started.spark_with_secrets = make_secret_engine(*started.spark, *secrets_);
  return {};
}

Result<events::EventLog*> Workbench::event_log() {
  const std::lock_guard lock(events_mutex_);
  if (event_log_ == nullptr) {
    LAKEMILL_TRY(event_log_,
                 events::EventLog::open(
                     root_, {*stores_, *checkpoints_, *event_files_, clock_, random_}));
  }
  return event_log_.get();
}

Result<events::EventWriter*> Workbench::event_writer() {
  LAKEMILL_TRY(events::EventLog * log, event_log());
  const std::lock_guard lock(events_mutex_);
  if (event_writer_ == nullptr) {
    events::EventWriterOptions options;
    options.group_delay = request_.event_delay;
    options.on_problem = [](const Error& error) {
      std::fprintf(stderr, "lakemill: warning: events cannot be written: %s\n",
                   error.message().c_str());
    };
    event_writer_ = std::make_unique<events::EventWriter>(*log, std::move(options));
  }
  return event_writer_.get();
}

Result<flow::Workspace> Workbench::workspace(const language::Pipeline& pipeline) {
  const std::string state_root = pipeline.root_path.empty()
                                     ? root_
                                     : storage::normalize_path(storage::join_path(
                                           pipeline.folder, pipeline.root_path));
  LAKEMILL_TRY(auto store, stores_->open(state_root));
  std::vector<std::string> roots = allowed_roots();
  roots.push_back(pipeline.folder);
  const auto resolve = [this](const std::string& text) {
    return language::resolve_secrets(
        text, [this](const std::string& name) { return secrets_->find(name); });
  };
  // Changes on their way: beside the state where that is local.
  const std::string spool_root = storage::has_scheme(state_root)
                                     ? sources::PostgresFeeds::temporary_folder()
                                     : state_root + "/_lakemill/spool";
  auto postgres = std::make_shared<sources::PostgresFeeds>(
      store, "_lakemill/flows/" + pipeline.name + "/_connections", spool_root, resolve);
  return flow::Workspace{project_,
                         pipeline,
                         *stores_,
                         *catalog_,
                         *engine_of(pipeline).with_secrets,
                         clock_,
                         random_,
                         std::move(store),
                         "_lakemill/flows/" + pipeline.name,
                         std::move(roots),
                         nullptr,
                         std::move(postgres),
                         nullptr,
                         engine_of(pipeline).spark_with_secrets.get()};
}

Result<std::string> Workbench::table_url(const std::string& path_or_name) {
  const std::string path =
      storage::normalize_path(storage::join_path(working_folder_, path_or_name));
  LAKEMILL_TRY(const auto store, stores_->open(path));
  LAKEMILL_TRY(const bool by_path, delta::table_exists(*store));
  if (by_path) return path;
  const auto name = catalog_->resolve(path_or_name);
  if (name) {
    LAKEMILL_TRY(const bool by_name, catalog_->table_exists(*name));
    if (by_name) return catalog_->url_of(*name);
    if (catalog_->get_view(*name)) {
      return Error(
          ErrorCode::invalid,
          "'" + path_or_name + "' is a view, which has no files or versions; query it");
    }
  }
  std::string message =
      "no Delta table at " + path + ", and none is named '" + path_or_name + "'";
  const auto meant = name ? nearest_table(*catalog_, *name) : std::nullopt;
  if (meant) message += "; did you mean '" + *meant + "'?";
  return Error(ErrorCode::not_found, std::move(message));
}

}  // namespace lakemill::app

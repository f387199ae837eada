#include <algorithm>
#include <map>
#include <set>

#include "lakemill/base/text.h"
#include "lakemill/language/definition.h"
#include "lakemill/language/graph.h"
#include "lakemill/language/method_sql.h"
#include "lakemill/language/model_builder.h"
#include "lakemill/language/quantity.h"
#include "lakemill/language/shape_check.h"
#include "lakemill/language/sql_check.h"
#include "lakemill/language/sql_text.h"
#include "lakemill/language/streams.h"

namespace lakemill::language {

namespace {

std::string indexed(const std::string& path, std::string_view key, std::size_t index) {
  return below(path, key) + "[" + std::to_string(index) + "]";
}

Layer layer_of(const std::string& layer) {
  if (layer == "BRONZE") return Layer::bronze;
  if (layer == "SILVER") return Layer::silver;
  if (layer == "GOLD") return Layer::gold;
  return Layer::none;
}

Refresh refresh_of(const std::string& refresh) {
  if (refresh == "APPEND") return Refresh::append;
  if (refresh == "MERGE") return Refresh::merge;
  if (refresh == "REPLACE") return Refresh::replace;
  return Refresh::automatic;
}

/// A value with its path, under the plural key or the singular one.
struct Item {
  const Tree* tree;
  std::string path;
};

std::vector<Item> items_of(const Fields& fields, std::string_view plural,
                           std::string_view singular, const std::string& path,
                           BuildContext& context) {
  if (fields.has(plural) && fields.has(singular)) {
    context.diagnostics.error(fields.place(singular), below(path, singular),
                              "'" + std::string(plural) + "' and '" +
                                  std::string(singular) + "'" + at_path(path) +
                                  " exclude each other",
                              "keep one of the two");
  }
  std::vector<Item> items;
  if (const Tree* list = fields.find(plural); list != nullptr && list->is_list()) {
    for (std::size_t i = 0; i < list->items.size(); ++i) {
      items.push_back({&list->items[i], indexed(path, plural, i)});
    }
  } else if (list != nullptr) {
    items.push_back({list, below(path, plural)});
  }
  if (const Tree* one = fields.find(singular)) {
    items.push_back({one, below(path, singular)});
  }
  return items;
}

Step build_step(const Tree& tree, const std::string& path, DataframeApi api,
                BuildContext& context) {
  Step step;
  step.location = tree.location;
  if (tree.broken) return step;
  const Fields fields(tree);
  const bool is_sql = fields.has("expr");
  const bool is_method = fields.has("func_name");
  if (is_sql && is_method) {
    context.diagnostics.error(
        fields.place("func_name"), below(path, "func_name"),
        "'expr' and 'func_name'" + at_path(path) + " exclude each other",
        "make two steps of them");
  } else if (!is_sql && !is_method && !tree.has_unknown_keys &&
             !fields.is_broken("expr") && !fields.is_broken("func_name")) {
    context.diagnostics.error(tree.location, path,
                              "the step" + at_path(path) + " does nothing",
                              "give it expr (SQL) or func_name (a dataframe method)");
  }
  for (const std::string_view key : {"func_args", "func_kwargs"}) {
    if (is_sql && fields.has(key)) {
      context.diagnostics.error(fields.place(key), below(path, key),
                                "key '" + std::string(key) + "'" + at_path(path) +
                                    " goes with func_name, not with expr",
                                "");
    }
  }
  if (!is_method) {
    step.what = fields.source_text("expr");
    return step;
  }
  MethodCall call;
  call.name = fields.text("func_name", "");
  call.location = fields.place("func_name");
  call.api = build_api(fields, api);
  if (!is_known_method(call.name) && !call.name.empty()) {
    const auto meant = nearest(call.name, known_methods());
    context.diagnostics.error(call.location, below(path, "func_name"),
                              "unknown method '" + call.name + "'" + at_path(path),
                              meant ? "did you mean '" + *meant + "'?"
                                    : "Python functions are not supported yet");
  }
  for (const Tree* argument : fields.items("func_args")) {
    call.arguments.push_back(*argument);
  }
  call.named_arguments = fields.arguments("func_kwargs");
  step.what = std::move(call);
  return step;
}

// The tests of a column's contract are expectations that fail the run.
void add_contract(Node& node, const Tree& tree, const ColumnSpec& column) {
  node.columns.push_back(
      {column.name, column.type, column.nullable, column.comment, column.location});
  const auto add = [&](std::string_view suffix,
                       const Location& location) -> Expectation& {
    Expectation& expectation = node.expectations.emplace_back();
    expectation.name = column.name + " " + std::string(suffix);
    expectation.location = location;
    expectation.action = ExpectationAction::fail;
    return expectation;
  };
  const auto not_null = [&](const Location& location) {
    Expectation& expectation = add("is not null", location);
    expectation.expression = {quote_identifier(column.name) + " IS NOT NULL", location,
                              false};
    expectation.expression_language = ExpressionLanguage::sql;
  };
  bool tests_null = false;
  if (tree.is_mapping()) {
    for (const Name& test : Fields(tree).names("tests")) {
      if (equals_ignoring_case(test.text, "UNIQUE")) {
        Expectation& expectation = add("is unique", test.location);
        expectation.type = ExpectationType::unique;
        expectation.columns = {column.name};
      } else if (equals_ignoring_case(test.text, "NOT_NULL")) {
        tests_null = true;
        not_null(test.location);
      } else {
        Expectation& expectation = add("test: " + test.text, test.location);
        expectation.expression = {test.text, test.location, false};
        expectation.expression_language = is_dataframe_expression(test.text)
                                              ? ExpressionLanguage::dataframe
                                              : ExpressionLanguage::sql;
      }
    }
  }
  if (!column.nullable && !tests_null) not_null(column.location);
}

void build_columns(Node& node, const Fields& fields) {
  const Tree* tree = fields.find("columns");
  if (tree == nullptr) return;
  const Tree* list = tree;
  if (tree->is_mapping() && tree->entries.size() == 1 &&
      tree->entries[0].key == "columns" && !tree->entries[0].value.is_scalar()) {
    list = &tree->entries[0].value;
  }
  std::vector<const Tree*> values;
  for (const Tree& item : list->items) {
    if (!item.broken) values.push_back(&item);
  }
  for (const TreeEntry& entry : list->entries) {
    if (!entry.value.broken) values.push_back(&entry.value);
  }
  const std::vector<ColumnSpec> columns = fields.columns("columns");
  for (std::size_t i = 0; i < columns.size() && i < values.size(); ++i) {
    add_contract(node, *values[i], columns[i]);
  }
}

void build_schedule(Node& node, const Fields& fields) {
  const Tree* every = fields.find("every");
  if (every != nullptr) {
    node.every = Schedule();
    if (const auto period = parse_duration(every->text)) {
      node.every->period = *period;
    } else {
      node.every->cron = every->text;
    }
  }
  if (const Tree* tree = fields.find("freshness")) {
    const Fields freshness(*tree);
    node.freshness =
        Freshness{freshness.duration("max_age").value_or(std::chrono::microseconds(0)),
                  freshness.text("column", ""), tree->location};
  }
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// SQL does not tell names apart that differ only in case. What is made of a source on
// its way is called by its name, a dot and more; of a node, by the node's name and more.
// A source without a name is called by its place: "0".
void check_names(const Node& node, const std::string& path, BuildContext& context) {
  std::map<std::string, std::string> sources;  // by their names in lower case
  for (const Source& source : node.sources) {
    if (source.name.empty()) continue;
    const auto [first, is_new] = sources.emplace(to_lower(source.name), source.name);
    if (is_new) continue;
    context.diagnostics.error(
        source.location, path,
        first->second == source.name
            ? "two sources" + at_path(path) + " are called '" + source.name + "'"
            : "the sources '" + first->second + "' and '" + source.name + "'" +
                  at_path(path) + " differ only in case; rename one of them",
        "");
  }
  for (const Source& source : node.sources) {
    const std::string lower = to_lower(source.name);
    if (is_number(lower)) {
      context.diagnostics.error(
          source.location, path,
          "the source '" + source.name + "'" + at_path(path) +
              " is called like the place of a source without a name; choose another name",
          "");
    }
    for (std::size_t dot = lower.find('.'); dot != std::string::npos;
         dot = lower.find('.', dot + 1)) {
      const std::string begin = lower.substr(0, dot);
      if (begin != "nodes" && begin != to_lower(node.name) && !is_number(begin) &&
          !sources.contains(begin)) {
        continue;
      }
      context.diagnostics.error(source.location, path,
                                "the source '" + source.name + "'" + at_path(path) +
                                    " is called like a part of '" + begin +
                                    "'; choose a name without the dot",
                                "");
      break;
    }
  }
  std::set<std::string> expectations;
  for (const Expectation& expectation : node.expectations) {
    if (!expectation.name.empty() && !expectations.insert(expectation.name).second) {
      context.diagnostics.error(
          expectation.location, path,
          "two expectations" + at_path(path) + " are called '" + expectation.name + "'",
          "");
    }
  }
}

void check_quarantine(const Node& node, const Fields& fields, const std::string& path,
                      BuildContext& context) {
  const bool sinks_known = !fields.is_broken("sinks") && !fields.is_broken("sink");
  for (std::size_t i = 0; i < node.expectations.size() && sinks_known; ++i) {
    const Expectation& expectation = node.expectations[i];
    if (expectation.action != ExpectationAction::quarantine) continue;
    if (node.quarantine_sink() != nullptr || fields.has_unknown_keys()) continue;
    context.diagnostics.error(expectation.location, indexed(path, "expectations", i),
                              "action QUARANTINE" +
                                  at_path(indexed(path, "expectations", i)) +
                                  " needs a quarantine sink",
                              "add a sink with is_quarantine: true to the node");
  }
  bool has_one = false;
  for (const Sink& sink : node.sinks) {
    if (sink.is_quarantine && has_one) {
      context.diagnostics.error(
          sink.location, path, "the node" + at_path(path) + " has two quarantine sinks",
          "");
    }
    has_one |= sink.is_quarantine;
  }
}

// Rows are judged where they are written: a view has none that could be kept out.
void check_written(const Node& node, const Fields& fields, const std::string& path,
                   BuildContext& context) {
  const bool sinks_known = !fields.is_broken("sinks") && !fields.is_broken("sink");
  if (!sinks_known || fields.has_unknown_keys()) return;
  const Sink* quarantine = node.quarantine_sink();
  const Sink* primary = node.primary_sink();
  if (quarantine != nullptr && (primary == nullptr || primary->is_view())) {
    context.diagnostics.error(
        quarantine->location, path,
        "the node" + at_path(path) +
            " writes refused rows, and no table of those that pass",
        "give it a sink for them, a FILE or a TABLE, before the quarantine");
    return;
  }
  if (!node.is_view() || node.expectations.empty()) return;
  for (std::size_t i = 0; i < node.expectations.size(); ++i) {  // one fault at a time
    if (context.diagnostics.has_error_in(indexed(path, "expectations", i))) return;
  }
  context.diagnostics.error(
      node.expectations.front().location, indexed(path, "expectations", 0),
      "the node" + at_path(path) +
          " is a view, computed where it is used, so nothing would check its "
          "expectations",
      "give it a sink, or write them at the nodes that read it");
}

// The references of the node's SQL to its own flow and sources.
void check_frames(const Node& node, const std::string& path, BuildContext& context) {
  for (std::size_t i = 0; i < node.steps.size(); ++i) {
    const std::string step_path =
        path + ".transformer.nodes[" + std::to_string(i) + "]";
    for (const StepReference& reference : step_references(node.steps[i])) {
      const FrameReference& frame = reference.frame;
      if (frame.kind == FrameReference::Kind::flow && i == 0 && node.sources.empty()) {
        context.diagnostics.error(reference.location, step_path,
                                  "{df} at " + step_path + " has nothing to stand for",
                                  "give the node a source");
      }
      if (frame.kind != FrameReference::Kind::source) continue;
      std::vector<std::string> known;
      for (const Source& source : node.sources) {
        if (!source.name.empty()) known.push_back(source.name);
      }
      if (std::find(known.begin(), known.end(), frame.name) != known.end()) continue;
      const auto meant = nearest(frame.name, known);
      const Location place =
          place_of_name(reference.location, "sources." + frame.name, context.reader);
      context.diagnostics.error(
          place, step_path, "unknown source '" + frame.name + "' at " + step_path,
          meant           ? "did you mean '" + *meant + "'?"
          : known.empty() ? "give the source a name"
                          : "named sources are " + join(known, ", "));
    }
  }
  const bool has_frame = !node.sources.empty() || node.steps.empty();
  if (!has_frame && !node.steps[0].is_sql()) {
    context.diagnostics.error(
        node.steps[0].location, path,
        "the method at " + path + ".transformer.nodes[0] has nothing to work on",
        "give the node a source");
  }
}

// What a source asks for that depends on how its node reads it.
void check_reading(const Node& node, const Source& source, const Item& item,
                   BuildContext& context) {
  const Fields fields(*item.tree);
  const auto fault = [&](std::string_view key, const std::string& message,
                         const std::string& hint) {
    context.diagnostics.error(fields.place(key), below(item.path, key), message, hint);
  };
  if (source.kind == SourceKind::postgres) {
    if (node.layer != Layer::bronze || node.primary_sink() == nullptr) {
      fault("type",
            "node " + node.name +
                " cannot read PostgreSQL by itself: what comes from there lands in a "
                "bronze table first, because the server does not keep it",
            "set layer: BRONZE and give the node a sink, and read that table as a "
            "stream where the changes are applied");
    }
    if (source.as_stream && !*source.as_stream) {
      fault("as_stream", "a POSTGRES source is read by its changes",
            "leave as_stream out, or read the rows that are there once with snapshot: "
            "ONLY");
    }
    return;
  }
  if (is_incremental(node, source)) return;
  const bool is_told =
      context.diagnostics.has_error_in(below(item.path, "read_changes"));
  if (source.read_changes && !is_told) {
    fault("read_changes",
          "read_changes" + at_path(item.path) + " gives what is new of a table",
          "write as_stream: true");
  }
}

// What a plan's identity of the node comes from: not what only documents or schedules.
Json definition_of(const Tree& tree, const Node& node) {
  Json definition = definition_json(tree);
  for (const char* key : {"comment", "description", "owner", "tags", "variables",
                          "freshness", "every", "depends_on", "execution_task_name"}) {
    if (definition.is_object()) definition.erase(key);
  }
  if (definition.is_object()) {
    definition["dataframe_api"] =
        node.dataframe_api == DataframeApi::native ? "NATIVE" : "NARWHALS";
  }
  hide_passwords(definition);
  return definition;
}

void read_plain(Node& node, const Fields& fields) {
  node.name = fields.text("name", "");
  node.primary_keys = fields.texts("primary_keys");
  node.depends_on = fields.names("depends_on");
  node.tags = fields.texts("tags");
  node.comment = fields.text("comment", "");
  node.description = fields.text("description", "");
  node.owner = fields.text("owner", "");
  node.time_column = fields.text("time_column", "");
  node.execution_task_name = fields.text("execution_task_name", "");
  node.root_path = fields.text("root_path", "");
  node.layer = layer_of(fields.choice("layer"));
  node.refresh = refresh_of(fields.choice("refresh"));
  node.strict = fields.flag("strict", false);
}

}  // namespace

void check_folder_name(const Fields& fields, const std::string& path,
                       BuildContext& context) {
  const std::string name = fields.text("name", "");
  const bool has_control = std::any_of(name.begin(), name.end(), [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20;
  });
  if (name != "." && name != ".." && !has_control &&
      name.find_first_of("/\\") == std::string::npos) {
    return;
  }
  context.diagnostics.error(fields.place("name"), below(path, "name"),
                            "the name '" + name + "'" + at_path(path) +
                                " cannot be that of a folder, and state is kept in one "
                                "of that name",
                            "leave out '/', '\\' and line breaks");
}

Node build_node(const Tree& tree, const std::string& path, BuildContext& outer) {
  Node node;
  node.location = tree.location;
  if (tree.broken || !tree.is_mapping()) return node;
  const Fields fields(tree);
  read_plain(node, fields);
  check_folder_name(fields, path, outer);
  node.backend = build_backend(fields, outer.backend);
  node.dataframe_api = build_api(fields, outer.api);
  BuildContext context{outer.diagnostics, node.dataframe_api, node.backend};
  context.reader = outer.reader;

  const auto sources = items_of(fields, "sources", "source", path, context);
  for (const Item& item : sources) {
    node.sources.push_back(build_source(*item.tree, item.path, context));
  }
  if (const Tree* transformer = fields.find("transformer")) {
    const Fields inner(*transformer);
    const DataframeApi api = build_api(inner, node.dataframe_api);
    std::size_t index = 0;
    for (const Tree* step : inner.items("nodes")) {
      node.steps.push_back(build_step(
          *step, indexed(below(path, "transformer"), "nodes", index++), api, context));
    }
  }
  std::size_t index = 0;
  for (const Tree* item : fields.items("expectations")) {
    node.expectations.push_back(
        build_expectation(*item, indexed(path, "expectations", index++), context));
  }
  for (const Item& item : items_of(fields, "sinks", "sink", path, context)) {
    node.sinks.push_back(build_sink(*item.tree, item.path, fields, context));
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].tree->broken || fields.has_unknown_keys()) continue;
    check_reading(node, node.sources[i], sources[i], context);
  }
  build_schedule(node, fields);
  check_quarantine(node, fields, path, context);
  check_written(node, fields, path, context);
  build_columns(node, fields);
  check_names(node, path, context);
  check_frames(node, path, context);
  node.definition = definition_of(tree, node);
  return node;
}

Backend build_backend(const Fields& fields, Backend inherited) {
  const std::string backend = fields.choice("dataframe_backend");
  if (backend == "POLARS") return Backend::polars;
  if (backend == "DUCKDB") return Backend::duckdb;
  if (backend == "PYSPARK") return Backend::pyspark;
  if (backend == "SPARK") return Backend::spark;
  return inherited;
}

DataframeApi build_api(const Fields& fields, DataframeApi inherited) {
  const std::string api = fields.choice("dataframe_api");
  if (api == "NARWHALS") return DataframeApi::narwhals;
  if (api == "NATIVE") return DataframeApi::native;
  return inherited;
}

}  // namespace lakemill::language

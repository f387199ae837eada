#include "lakemill/language/delta_arguments.h"

#include <charconv>

#include "lakemill/base/text.h"
#include "lakemill/language/quantity.h"
#include "lakemill/language/shape_check.h"

namespace lakemill::language {

namespace {

/// What one option asks for, read as the kinds that options have.
class Argument {
 public:
  Argument(const NamedArgument& argument, std::string path, BuildContext& context)
      : argument_(argument), path_(std::move(path)), context_(context) {}

  bool is(std::string_view name) const {
    return equals_ignoring_case(argument_.name, name);
  }
  const std::string& text() const { return argument_.value.text; }

  std::optional<bool> flag() {
    const std::string value = to_lower(argument_.value.text);
    if (value == "true" || value == "false") return value == "true";
    error("option '" + argument_.name + "' must be true or false, not '" +
              argument_.value.text + "'",
          "");
    return std::nullopt;
  }

  std::optional<std::int64_t> number() {
    std::int64_t value = 0;
    const std::string& digits = argument_.value.text;
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure == std::errc() && end == digits.data() + digits.size() && value >= 0) {
      return value;
    }
    error(
        "option '" + argument_.name + "' must be a whole number, not '" + digits + "'",
        "");
    return std::nullopt;
  }

  std::optional<std::int64_t> size() {
    const auto bytes = parse_size(argument_.value.text);
    if (bytes) return *bytes;
    error("option '" + argument_.name + "': " + bytes.error().message(), "");
    return std::nullopt;
  }

  void error(const std::string& message, const std::string& hint) {
    context_.diagnostics.error(argument_.value.location, below(path_, argument_.name),
                               message + at_path(path_), hint);
  }

  void contradicts(std::string_view key) {
    error("option '" + argument_.name + "' and key '" + std::string(key) +
              "' contradict each other",
          "keep one of the two");
  }

  void has_no_effect(const std::string& hint) {
    context_.diagnostics.warning(
        argument_.location, below(path_, argument_.name),
        "option '" + argument_.name + "'" + at_path(path_) + " has no effect", hint);
  }

 private:
  const NamedArgument& argument_;
  std::string path_;
  BuildContext& context_;
};

// Takes a value for a key of ours, which may say the same already.
template <typename Value>
void take(Argument& argument, std::string_view key, const std::optional<Value>& given,
          std::optional<Value>& held) {
  if (!given) return;
  if (held && *held != *given) {
    argument.contradicts(key);
  } else {
    held = given;
  }
}

std::string hint_for(const std::string& name, const std::vector<std::string>& known,
                     const std::string& where) {
  const auto meant = nearest(name, known);
  return meant ? "did you mean '" + *meant + "'?" : where;
}

void take_reader_argument(Argument& argument, const std::string& name,
                          const Fields& fields, Source& source) {
  static const std::vector<std::string> kKnown = {
      "versionAsOf",    "timestampAsOf",      "readChangeFeed",
      "readChangeData", "maxFilesPerTrigger", "maxBytesPerTrigger"};
  if (argument.is("versionAsOf")) {
    take(argument, "version", argument.number(), source.version);
  } else if (argument.is("timestampAsOf")) {
    if (fields.has("timestamp") && source.timestamp != argument.text()) {
      argument.contradicts("timestamp");
    } else {
      source.timestamp = argument.text();
    }
  } else if (argument.is("readChangeFeed") || argument.is("readChangeData")) {
    const auto changes = argument.flag();
    if (!changes) return;
    if (fields.has("read_changes") && source.read_changes != *changes) {
      argument.contradicts("read_changes");
    } else {
      source.read_changes = *changes;
    }
  } else if (argument.is("maxFilesPerTrigger")) {
    take(argument, "max_files", argument.number(), source.limits.max_files);
  } else if (argument.is("maxBytesPerTrigger")) {
    take(argument, "max_bytes", argument.size(), source.limits.max_bytes);
  } else if (argument.is("ignoreDeletes") || argument.is("ignoreChanges") ||
             argument.is("skipChangeCommits")) {
    argument.has_no_effect(
        "a stream stops at a commit that is no append; read_changes: true takes its "
        "changes, as_stream: false reads the table as a whole");
  } else if (argument.is("startingVersion") || argument.is("startingTimestamp")) {
    argument.has_no_effect(
        "a stream begins with the rows that are there; filter them, or fix a version "
        "with version or timestamp");
  } else {
    argument.has_no_effect(
        hint_for(name, kKnown, "options of Delta tables are " + join(kKnown, ", ")));
  }
}

// What several options say of the schema together: one that is true lets it change.
class SchemaOptions {
 public:
  void add(bool may_change) { may_change_ = may_change_.value_or(false) || may_change; }

  void apply(Sink& sink) const {
    if (!may_change_ || sink.schema_evolution != SchemaEvolution::unset) return;
    sink.schema_evolution =
        *may_change_ ? SchemaEvolution::evolve : SchemaEvolution::strict;
  }

 private:
  std::optional<bool> may_change_;
};

bool contradicts_evolution(const Sink& sink, bool may_change) {
  if (sink.schema_evolution == SchemaEvolution::unset) return false;
  return (sink.schema_evolution == SchemaEvolution::evolve) != may_change;
}

void take_schema_option(Argument& argument, bool may_change, const Sink& sink,
                        SchemaOptions& options) {
  if (contradicts_evolution(sink, may_change)) {
    argument.contradicts("schema_evolution");
    return;
  }
  options.add(may_change);
}

void take_writer_argument(Argument& argument, const NamedArgument& given, Sink& sink,
                          SchemaOptions& options) {
  static const std::vector<std::string> kKnown = {
      "mergeSchema", "overwriteSchema", "schema_mode", "partitionOverwriteMode"};
  if (argument.is("mergeSchema") || argument.is("overwriteSchema")) {
    const auto may_change = argument.flag();
    if (may_change) take_schema_option(argument, *may_change, sink, options);
  } else if (argument.is("schema_mode")) {
    if (argument.text() != "merge" && argument.text() != "overwrite") {
      argument.error("option 'schema_mode' must be merge or overwrite, not '" +
                         argument.text() + "'",
                     "");
      return;
    }
    take_schema_option(argument, true, sink, options);
  } else if (argument.is("partitionOverwriteMode")) {
    if (to_lower(argument.text()) == "static") return;  // as every replacement here
    argument.error("partitionOverwriteMode " + argument.text() +
                       " is not implemented: all rows would be replaced",
                   "merge by primary_keys, or leave it out");
  } else if (argument.is("replaceWhere")) {
    argument.error(
        "replaceWhere is not implemented: all rows would be replaced",
        "merge by primary_keys, or derive rows again with lakemill backfill");
  } else if (given.name.starts_with("delta.") && given.value.is_scalar()) {
    const auto [held, is_new] =
        sink.properties.try_emplace(given.name, argument.text());
    if (!is_new && held->second != argument.text()) {
      argument.contradicts("properties");
    } else if (is_new) {
      sink.property_places.push_back({given.name, given.value.location});
    }
  } else {
    argument.has_no_effect(hint_for(given.name, kKnown,
                                    "options of Delta tables are " +
                                        join(kKnown, ", ") +
                                        " and table properties (delta.…)"));
  }
}

}  // namespace

void take_reader_arguments(const Fields& fields, const std::string& path,
                           Source& source, BuildContext& context) {
  for (const NamedArgument& given : source.reader_options) {
    Argument argument(given, below(path, "reader_kwargs"), context);
    take_reader_argument(argument, given.name, fields, source);
  }
  for (const MethodCall& method : source.reader_methods) {
    context.diagnostics.warning(method.location, below(path, "reader_methods"),
                                "reader method '" + method.name + "'" + at_path(path) +
                                    " has no effect on a Delta table",
                                "use reader_kwargs, or keys of the source");
  }
}

void take_writer_arguments(const Fields& fields, const std::string& path, Sink& sink,
                           BuildContext& context) {
  if (fields.is_broken("schema_evolution")) return;
  SchemaOptions options;
  for (const NamedArgument& given : sink.writer_options) {
    Argument argument(given, below(path, "writer_kwargs"), context);
    take_writer_argument(argument, given, sink, options);
  }
  options.apply(sink);
}

}  // namespace lakemill::language

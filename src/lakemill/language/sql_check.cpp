#include "lakemill/language/sql_check.h"

#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/language/embedded_sql.h"
#include "lakemill/language/expression_sql.h"
#include "lakemill/language/graph.h"
#include "lakemill/language/shape_check.h"
#include "lakemill/language/sql_text.h"

namespace lakemill::language {

namespace {

bool is_space(char character) {
  return character == ' ' || character == '\n' || character == '\t' ||
         character == '\r';
}

SqlForm form_of(const Expectation& expectation) {
  return expectation.type == ExpectationType::aggregate ? SqlForm::aggregate_check
                                                        : SqlForm::row_check;
}

// The byte of the file at which the text of a scalar begins.
std::size_t beginning(const SourceText& source, std::string_view file_text) {
  std::size_t begin = 0;
  for (int line = 1; line < source.location.line; ++line) {
    begin = file_text.find('\n', begin);
    if (begin == std::string_view::npos) return file_text.size();
    ++begin;
  }
  begin += static_cast<std::size_t>(std::max(source.location.column - 1, 0));
  if (source.block) begin = file_text.find('\n', begin);
  return std::min(begin, file_text.size());
}

Location location_at(const std::string& file, std::string_view text,
                     std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  return {file, static_cast<int>(line), static_cast<int>(column)};
}

class Check {
 public:
  Check(const SqlParser& parser, FileReader& reader, Diagnostics& diagnostics)
      : parser_(parser), reader_(reader), diagnostics_(diagnostics) {}

  void node(const Node& node, const std::string& path) {
    for (std::size_t i = 0; i < node.sources.size(); ++i) {
      text(node.sources[i].filter, SqlForm::filter,
           path + ".sources[" + std::to_string(i) + "].filter", "the filter: ");
    }
    for (std::size_t i = 0; i < node.steps.size(); ++i) {
      const std::string step = path + ".transformer.nodes[" + std::to_string(i) + "]";
      if (node.steps[i].is_sql()) {
        text(node.steps[i].sql(), SqlForm::query, step, "");
      } else if (!diagnostics_.has_error_in(step)) {
        method(node.steps[i].method(), step);
      }
    }
    for (std::size_t i = 0; i < node.expectations.size(); ++i) {
      expectation(node.expectations[i],
                  path + ".expectations[" + std::to_string(i) + "]");
    }
    for (std::size_t i = 0; i < node.sinks.size(); ++i) {
      const auto& merge = node.sinks[i].merge_cdc_options;
      if (!merge) continue;
      const std::string below = path + ".sinks[" + std::to_string(i) + "]";
      const std::string options = below + ".merge_cdc_options.";
      text(merge->delete_where, SqlForm::condition, options + "delete_where",
           "delete_where: ");
      text(merge->truncate_where, SqlForm::condition, options + "truncate_where",
           "truncate_where: ");
    }
  }

  void events(const EventFilter& filter, const std::string& path) {
    text(filter.where, SqlForm::condition, below(path, "where"), "where: ");
  }

 private:
  void method(const MethodCall& call, const std::string& path) {
    for (const EmbeddedSql& embedded : embedded_sql(call)) {
      if (embedded.sql.find("${") != std::string::npos) continue;  // only a run has it
      const auto fault = parser_(embedded.sql, SqlForm::expression);
      if (!fault) continue;
      const Location place = place_of(
          embedded.scalar,
          fault->offset
              ? std::optional<std::size_t>(embedded.offset_in_scalar(*fault->offset))
              : std::nullopt);
      diagnostics_.error(
          place, path,
          call.name + ": in the SQL \"" + embedded.sql + "\", " + fault->message, "");
    }
    for (const Tree& value : call.arguments) refuse_secret_names(call, value, path);
    for (const NamedArgument& named : call.named_arguments) {
      refuse_secret_name(call, named.name, named.location, path);
      refuse_secret_names(call, named.value, path);
    }
  }

  // The names of new columns: keys, what columns are renamed to, and alias().
  void refuse_secret_names(const MethodCall& call, const Tree& value,
                           const std::string& path) {
    if (value.is_string()) {
      constexpr std::string_view kAlias = ".alias(";
      for (std::size_t at = value.text.find(kAlias); at != std::string::npos;
           at = value.text.find(kAlias, at + 1)) {
        const std::size_t size = value.text.find(')', at) - at;
        refuse_secret_name(call, value.text.substr(at, size), value.location, path);
      }
    }
    for (const Tree& item : value.items) refuse_secret_names(call, item, path);
    for (const TreeEntry& entry : value.entries) {
      refuse_secret_name(call, entry.key, entry.key_location, path);
      if (call.name == "rename" && entry.value.is_string()) {
        refuse_secret_name(call, entry.value.text, entry.value.location, path);
      }
      refuse_secret_names(call, entry.value, path);
    }
  }

  void refuse_secret_name(const MethodCall& call, const std::string& name,
                          const Location& place, const std::string& path) {
    if (name.find("${secret.") == std::string::npos) return;
    diagnostics_.error(place, path,
                       call.name +
                           ": a secret cannot stand in the name of a column, which is "
                           "stored and shown",
                       "use a variable");
  }

  void expectation(const Expectation& expectation, const std::string& path) {
    if (is_dataframe_expectation(expectation)) return;
    text(expectation.expression, form_of(expectation), path,
         "expectation '" + expectation.name + "': ");
  }

  void text(const SourceText& source, SqlForm form, const std::string& path,
            const std::string& what) {
    const bool is_given = source.location.line > 0;
    if (!is_given || diagnostics_.has_error_in(path)) return;
    if (trim(source.text).empty()) {
      diagnostics_.error(source.location, path,
                         what + (form == SqlForm::query ? "the SQL is empty"
                                                        : "the expression is empty"),
                         "write it, or leave it out");
      return;
    }
    if (form != SqlForm::query && refuse_frames(source, path, what)) return;
    if (refuse_secret_names(source, path, what)) return;
    const std::string sql = sql_as_in_a_run(source.text);
    const auto fault = parser_(sql, form);
    if (!fault) return;
    diagnostics_.error(place_of(source, fault->offset), path,
                       what + as_written(fault->message, sql, source.text), "");
  }

  // Only steps have frames: what else is written as SQL is about the rows at hand.
  bool refuse_frames(const SourceText& source, const std::string& path,
                     const std::string& what) {
    const auto frames = frame_references(source.text);
    if (frames.empty()) return false;
    const FrameReference& frame = frames.front();
    const std::string written = source.text.substr(frame.offset, frame.length);
    diagnostics_.error(
        place_of(source, frame.offset), path,
        what + written + " stands for rows in the steps of a transformer only",
        frame.kind == FrameReference::Kind::node
            ? "read the node in a step, compare with it by an expectation of type: "
              "REFERENCE, or name its table: catalog.schema.table"
            : "name the columns of the row at hand, or compute what is needed in a "
              "step");
    return true;
  }

  // Names of tables and columns are stored and shown.
  bool refuse_secret_names(const SourceText& source, const std::string& path,
                           const std::string& what) {
    if (source.text.find("${secret.") == std::string::npos) return false;
    for (const RegionSpan& span : sql_regions(source.text)) {
      const bool is_name = span.region == TextRegion::double_quoted ||
                           span.region == TextRegion::back_quoted;
      if (!is_name) continue;
      const std::size_t at = source.text.find("${secret.", span.begin);
      if (at >= span.end) continue;
      diagnostics_.error(place_of(source, at), path,
                         what +
                             "a secret cannot stand in a name, which is stored and "
                             "shown",
                         "write a value in single quotes, or use a variable");
      return true;
    }
    return false;
  }

  // A message that quotes what the user has written, not what stood in for it.
  static std::string as_written(std::string message, std::string_view sql,
                                std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (sql[i] == text[i]) continue;
      const std::size_t end = sql.find(sql[i], i + 1);
      if (end == std::string_view::npos) break;
      const std::string_view stood = sql.substr(i, end + 1 - i);
      const std::size_t quoted = message.find(stood);
      if (quoted != std::string::npos) {
        message.replace(quoted, stood.size(), text.substr(i, end + 1 - i));
      }
      i = end;
    }
    return message;
  }

  Location place_of(const SourceText& source, std::optional<std::size_t> offset) {
    if (!offset) return source.location;
    const auto file = reader_.read(source.location.file);
    return file ? place_in_file(source, *offset, *file) : place_in(source, *offset);
  }

  const SqlParser& parser_;
  FileReader& reader_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string sql_as_in_a_run(std::string_view text) {
  std::string sql(text);
  for (const FrameReference& reference : frame_references(text)) {
    sql[reference.offset] = '"';
    sql[reference.offset + reference.length - 1] = '"';
  }
  if (text.find("${") == std::string_view::npos) return sql;
  for (const RegionSpan& span : sql_regions(text)) {
    if (span.region != TextRegion::code) continue;
    for (std::size_t open = text.find("${", span.begin); open < span.end;
         open = text.find("${", open + 2)) {
      const std::size_t close = text.find('}', open);
      if (close >= span.end) break;
      sql[open] = '\'';
      sql[close] = '\'';
    }
  }
  return sql;
}

bool is_dataframe_expectation(const Expectation& expectation) {
  if (trim(expectation.expression.text).empty()) return false;
  return expectation.expression_language == ExpressionLanguage::dataframe ||
         (expectation.expression_language == ExpressionLanguage::detect &&
          is_expression(expectation.expression.text, TextContext::expectation));
}

Location place_of_name(Location place, std::string_view name, FileReader* reader) {
  if (place.column != 0 || place.line <= 0 || reader == nullptr) return place;
  const auto file = reader->read(place.file);
  if (!file) return place;
  const std::vector<std::string> lines = split(*file, '\n');
  const auto index = static_cast<std::size_t>(place.line - 1);
  if (index >= lines.size()) return place;
  std::size_t found = lines[index].find(name);
  if (found == std::string::npos) return place;
  if (found > 0 && lines[index][found - 1] == '{') --found;
  place.column = static_cast<int>(found) + 1;
  return place;
}

Location place_in_file(const SourceText& source, std::size_t offset,
                       std::string_view file_text) {
  std::size_t at = beginning(source, file_text);
  const char first = at < file_text.size() ? file_text[at] : '\0';
  const bool quoted = !source.block && (first == '\'' || first == '"') &&
                      (source.text.empty() || source.text[0] != first);
  if (quoted) ++at;
  // Folding and indentation change nothing but space.
  const auto skip_space = [&] {
    while (at < file_text.size() && is_space(file_text[at])) ++at;
  };
  std::size_t behind = at;
  for (const char character : std::string_view(source.text).substr(0, offset)) {
    if (is_space(character)) continue;
    skip_space();
    const bool escaped = quoted && (first == '"' ? file_text.substr(at, 1) == "\\"
                                                 : file_text.substr(at, 2) == "''");
    if (escaped) ++at;
    if (at >= file_text.size() || file_text[at] != character) {
      return place_in(source, offset);
    }
    behind = ++at;
  }
  const bool at_end = offset >= source.text.size() || is_space(source.text[offset]);
  if (!at_end) skip_space();
  return location_at(source.location.file, file_text, at_end ? behind : at);
}

void check_sql(const Pipeline& pipeline, const SqlParser& parser, FileReader& reader,
               Diagnostics& diagnostics) {
  Check check(parser, reader, diagnostics);
  for (std::size_t i = 0; i < pipeline.nodes.size(); ++i) {
    check.node(pipeline.nodes[i], "nodes[" + std::to_string(i) + "]");
  }
  for (const Trigger& trigger : pipeline.orchestration.triggers) {
    if (const auto* event = trigger.as<EventTrigger>()) {
      check.events(event->filter, below(trigger.path, "on_event"));
    }
  }
}

void check_sql(const Project& project, const SqlParser& parser, FileReader& reader,
               Diagnostics& diagnostics) {
  Check check(parser, reader, diagnostics);
  for (const Subscription& subscription : project.subscriptions) {
    check.events(subscription.filter, below(subscription.path, "filter"));
  }
}

}  // namespace lakemill::language

#include "lakemill/language/shape_check.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "lakemill/base/text.h"
#include "lakemill/language/quantity.h"

namespace lakemill::language {

namespace {

constexpr std::size_t kShownMax = 60;

std::string in_quotes(std::string_view text) {
  std::string shown(text.substr(0, kShownMax));
  if (shown.size() < text.size()) shown += "…";
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return "'" + shown + "'";
}

// What a value is, for a message: a scalar as written, else its kind.
std::string shown(const Tree& value) {
  if (value.is_scalar() && !value.is_null()) return in_quotes(value.text);
  return std::string(kind_name(value.kind));
}

// Objects whose plain values are names and paths, which are stored and shown.
constexpr std::array<std::string_view, 21> kNamingObjects = {"node",
                                                             "source",
                                                             "sink",
                                                             "merge_cdc_options",
                                                             "expectation",
                                                             "reference",
                                                             "freshness",
                                                             "column",
                                                             "column_contract",
                                                             "table_metadata",
                                                             "trigger",
                                                             "trigger_event",
                                                             "alert",
                                                             "alert_target",
                                                             "alert_match",
                                                             "subscription",
                                                             "event_filter",
                                                             "target",
                                                             "server",
                                                             "server_tls",
                                                             "silence"};

// Whether a value of `key` names something; SQL and options of others do not.
bool names_something(const ObjectSpec& object, const KeySpec& key) {
  switch (key.type) {
    case ValueType::text:
    case ValueType::path:
    case ValueType::text_list:
    case ValueType::text_map:
    case ValueType::selection:
    case ValueType::flag_or_list:
    case ValueType::columns:
      break;
    default:
      return false;
  }
  constexpr std::array<std::string_view, 8> kTexts = {
      "tests",  "comment", "description", "owner",
      "secret", "webhook", "command",     "openlineage"};
  return std::ranges::find(kTexts, key.key) == kTexts.end() &&
         std::ranges::find(kNamingObjects, object.name) != kNamingObjects.end();
}

bool has_secret(std::string_view text) {
  return text.find("${secret.") != std::string_view::npos;
}

// Where a secret stands among names; nothing without one.
const Location* secret_among(const Tree& value) {
  if (value.is_scalar()) return has_secret(value.text) ? &value.location : nullptr;
  for (const Tree& item : value.items) {
    if (item.is_scalar() && has_secret(item.text)) return &item.location;
  }
  for (const TreeEntry& entry : value.entries) {
    if (has_secret(entry.key)) return &entry.key_location;
    if (entry.value.is_scalar() && has_secret(entry.value.text)) {
      return &entry.value.location;
    }
  }
  return nullptr;
}

bool is_textual(const Tree& value) {
  return value.is_string() || value.kind == TreeKind::integer ||
         value.kind == TreeKind::number;
}

class ShapeCheck {
 public:
  explicit ShapeCheck(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void check_object(Tree& mapping, const ObjectSpec& object, const std::string& path) {
    if (mapping.broken) return;
    if (!mapping.is_mapping()) {
      fault(mapping, path,
            (path.empty() ? "the file" : "'" + path + "'") +
                std::string(" needs a mapping") + ", not " + shown(mapping),
            "");
      return;
    }
    const std::string kind = kind_of(mapping, object.name);
    if (refuse_kind(mapping, object, path)) return;
    bool has_unknown = false;
    for (TreeEntry& entry : mapping.entries) {
      const KeySpec* key = find_key(object, entry.key);
      if (key == nullptr) {
        has_unknown = true;
        unknown_key(entry, object, path);
      } else if (!kind.empty() && !key->kinds.empty() &&
                 !find_choice(key->kinds, kind)) {
        wrong_kind(entry, *key, object, kind, path);
      } else if (key->support == Support::later) {
        fault(entry.value, below(path, key->key),
              "key '" + entry.key + "'" + at_path(path) + " is not supported yet",
              std::string(key->doc), entry.key_location);
      } else if (key->support == Support::ignored) {
        diagnostics_.notice(entry.key_location, below(path, key->key),
                            "key '" + entry.key +
                                "' is ignored: Python functions are " +
                                "not supported yet",
                            "");
      } else if (!entry.value.is_null()) {
        check_value(entry, *key, path);
        if (names_something(object, *key)) refuse_secret(entry.value, *key, path);
      }
    }
    for (const KeySpec& key : object.keys) {
      // A misspelt key would otherwise be told twice.
      if (key.required && !has_unknown) require(mapping, key, path);
    }
    mapping.has_unknown_keys = has_unknown;
  }

 private:
  void fault(Tree& value, const std::string& path, std::string message,
             std::string hint) {
    fault(value, path, std::move(message), std::move(hint), value.location);
  }
  void fault(Tree& value, const std::string& path, std::string message,
             std::string hint, const Location& location) {
    value.broken = true;
    diagnostics_.error(location, path, std::move(message), std::move(hint));
  }

  // True when the kind is one that is not supported yet, which is then told.
  bool refuse_kind(Tree& mapping, const ObjectSpec& object, const std::string& path) {
    if (object.name != "source" && object.name != "sink") return false;
    const std::string kind = kind_of(mapping, object.name);
    const KeySpec* type = find_key(object, "type");
    if (!find_choice(type->refused, kind)) return false;
    const std::string what = kind == "CUSTOM"
                                 ? "Python functions are"
                                 : kind + " " + std::string(object.name) + "s are";
    fault(mapping, path, what + " not supported yet" + at_path(path),
          "supported kinds are " + join(choices_of(type->choices), ", "));
    return true;
  }

  void refuse_secret(Tree& value, const KeySpec& key, const std::string& path) {
    const Location* place = value.broken ? nullptr : secret_among(value);
    if (place == nullptr) return;
    fault(value, below(path, key.key),
          "a secret cannot stand in '" + std::string(key.key) + "'" + at_path(path) +
              ": names, paths and properties are stored and shown",
          "use a variable; secrets stand in values of SQL, in connections and in "
          "options of readers and writers",
          *place);
  }

  void unknown_key(TreeEntry& entry, const ObjectSpec& object,
                   const std::string& path) {
    std::vector<std::string> known;
    for (const KeySpec& key : object.keys) known.emplace_back(key.key);
    const auto meant = nearest(entry.key, known);
    std::string hint = meant ? "did you mean '" + *meant + "'?" : "";
    if (!meant) hint = "known keys are " + join(known, ", ");
    fault(entry.value, below(path, entry.key),
          "unknown key " + in_quotes(entry.key) + at_path(path), std::move(hint),
          entry.key_location);
  }

  void wrong_kind(TreeEntry& entry, const KeySpec& key, const ObjectSpec& object,
                  const std::string& kind, const std::string& path) {
    std::string hint = "it belongs to " + join(choices_of(key.kinds), ", ");
    fault(entry.value, below(path, entry.key),
          "key '" + entry.key + "'" + at_path(path) + " does not go with a " + kind +
              " " + std::string(object.name),
          std::move(hint), entry.key_location);
  }

  void require(const Tree& mapping, const KeySpec& key, const std::string& path) {
    const Tree* value = mapping.find(key.key);
    if (value != nullptr && (value->broken || !value->is_null())) {
      if (value->broken || !value->is_string() || !value->text.empty()) return;
    }
    diagnostics_.error(mapping.location, path,
                       "key '" + std::string(key.key) + "' is missing" + at_path(path),
                       std::string(key.doc));
  }

  void needs(Tree& value, const KeySpec& key, const std::string& path,
             std::string_view what) {
    std::string hint;
    if (value.is_string() && value.text.starts_with("${")) {
      hint = "is the variable set?";
    }
    fault(value, below(path, key.key),
          "key '" + std::string(key.key) + "'" + at_path(path) + " needs " +
              std::string(what) + ", not " + shown(value),
          std::move(hint));
  }

  void check_value(TreeEntry& entry, const KeySpec& key, const std::string& path) {
    Tree& value = entry.value;
    if (value.broken) return;
    switch (key.type) {
      case ValueType::any:
        return;
      case ValueType::any_list:
        if (!value.is_list() && !value.is_scalar()) needs(value, key, path, "a list");
        return;
      case ValueType::any_map:
        if (!value.is_mapping()) needs(value, key, path, "a mapping");
        return;
      case ValueType::choice:
        check_choice(value, key, path);
        return;
      case ValueType::choice_list:
        check_choices(value, key, path);
        return;
      case ValueType::object:
      case ValueType::object_list:
      case ValueType::object_map:
      case ValueType::columns:
      case ValueType::text_or_object:
        check_nested(value, key, path);
        return;
      case ValueType::text_or_object_list:
      case ValueType::duration_or_object:
      case ValueType::choice_or_object:
        check_either(value, key, path);
        return;
      case ValueType::text_list:
      case ValueType::selection:
      case ValueType::flag_or_list:
      case ValueType::text_map:
        check_texts(value, key, path);
        return;
      default:
        check_scalar(value, key, path);
        return;
    }
  }

  void check_scalar(Tree& value, const KeySpec& key, const std::string& path) {
    switch (key.type) {
      case ValueType::text:
        if (!is_textual(value)) needs(value, key, path, "a text");
        return;
      case ValueType::sql:
        if (!is_textual(value) && value.kind != TreeKind::boolean) {
          needs(value, key, path, "a text");
        }
        return;
      case ValueType::path:
        check_path(value, key, path);
        return;
      case ValueType::boolean:
        if (value.kind != TreeKind::boolean) needs(value, key, path, "true or false");
        return;
      case ValueType::integer:
        if (value.kind != TreeKind::integer) {
          needs(value, key, path, "a whole number");
        } else if (value.integer < 0) {
          needs(value, key, path, "a whole number that is not negative");
        }
        return;
      case ValueType::number:
        if (value.kind != TreeKind::integer && value.kind != TreeKind::number) {
          needs(value, key, path, "a number");
        }
        return;
      case ValueType::duration:
        check_duration(value, key, path);
        return;
      case ValueType::size:
        if (!is_textual(value) || !parse_size(value.text)) {
          needs(value, key, path, "a size like 512MB or 4GB");
        }
        return;
      case ValueType::cron:
        check_cron_text(value, key, path);
        return;
      case ValueType::schedule:
        check_schedule(value, key, path);
        return;
      default:
        return;
    }
  }

  void check_duration(Tree& value, const KeySpec& key, const std::string& path) {
    if (!is_textual(value) || !parse_duration(value.text)) {
      needs(value, key, path, "a duration like 5m, 1h 30m or 7d");
    }
  }

  void check_cron_text(Tree& value, const KeySpec& key, const std::string& path) {
    const Status cron = is_textual(value) ? check_cron(value.text) : Status();
    if (is_textual(value) && cron) return;
    if (is_textual(value) && parse_duration(value.text)) {
      fault(value, below(path, key.key),
            "key '" + std::string(key.key) + "'" + at_path(path) +
                " needs a cron expression, not the duration " + shown(value),
            path.find("triggers") == std::string::npos ? ""
                                                       : "write every: " + value.text);
      return;
    }
    needs(value, key, path,
          std::string("a cron expression like 0 6 * * MON-FRI") +
              (cron ? "" : " (" + cron.error().message() + ")"));
  }

  void check_schedule(Tree& value, const KeySpec& key, const std::string& path) {
    if (is_textual(value) && parse_duration(value.text)) return;
    const bool may_be_cron =
        is_textual(value) &&
        (value.text.starts_with('@') || value.text.find(' ') != std::string::npos);
    const Status cron = may_be_cron ? check_cron(value.text) : Status();
    if (may_be_cron && cron) return;
    needs(value, key, path,
          std::string("a duration like 5m or a cron expression") +
              (cron ? "" : " (" + cron.error().message() + ")"));
  }

  void check_path(Tree& value, const KeySpec& key, const std::string& path) {
    if (!is_textual(value)) {
      needs(value, key, path, "a path");
      return;
    }
    const std::string scheme = remote_scheme(value.text);
    if (scheme.empty()) return;
    fault(value, below(path, key.key),
          scheme + ":// is not supported yet at " + below(path, key.key),
          std::string(kReachable));
  }

  void check_choice(Tree& value, const KeySpec& key, const std::string& path) {
    if (!is_textual(value)) {
      needs(value, key, path, "one of " + join(choices_of(key.choices), ", "));
      return;
    }
    if (find_choice(key.choices, value.text)) return;
    if (const auto refused = find_choice(key.refused, value.text)) {
      fault(value, below(path, key.key),
            std::string(key.key) + " " + *refused + " is not supported yet" +
                at_path(path),
            "supported are " + join(choices_of(key.choices), ", "));
      return;
    }
    std::vector<std::string> known = choices_of(key.choices);
    const auto meant = nearest(value.text, known);
    fault(value, below(path, key.key),
          "unknown value " + in_quotes(value.text) + " of key '" +
              std::string(key.key) + "'" + at_path(path),
          meant ? "did you mean '" + *meant + "'?"
                : "known values are " + join(known, ", "));
  }

  void check_choices(Tree& value, const KeySpec& key, const std::string& path) {
    if (!value.is_list()) {
      check_choice(value, key, path);
      return;
    }
    for (Tree& item : value.items) check_choice(item, key, path);
  }

  // A plain value, or an object; of text_or_object_list a list of these too.
  void check_either(Tree& value, const KeySpec& key, const std::string& path) {
    const ObjectSpec& object = object_spec(key.object);
    const std::string inner = below(path, key.key);
    if (value.is_mapping()) {
      check_object(value, object, inner);
    } else if (key.type == ValueType::duration_or_object) {
      check_duration(value, key, path);
    } else if (key.type == ValueType::choice_or_object) {
      check_choice(value, key, path);
    } else if (!value.is_list()) {
      if (!is_textual(value)) needs(value, key, path, "names or mappings");
    } else {
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        Tree& item = value.items[i];
        if (item.is_mapping()) {
          check_object(item, object, inner + "[" + std::to_string(i) + "]");
        } else if (!item.broken && !is_textual(item)) {
          needs(item, key, path, "names or mappings in its list");
        }
      }
    }
  }

  void check_nested(Tree& value, const KeySpec& key, const std::string& path) {
    const ObjectSpec& object = object_spec(key.object);
    const std::string inner = below(path, key.key);
    if (key.type == ValueType::text_or_object && !value.is_mapping()) {
      if (!is_textual(value) && value.kind != TreeKind::boolean) {
        needs(value, key, path, "a text");
      }
    } else if (key.type == ValueType::columns) {
      check_columns(value, key, path);
    } else if (key.type == ValueType::object_map) {
      if (!value.is_mapping()) {
        needs(value, key, path, "a mapping");
        return;
      }
      for (TreeEntry& entry : value.entries) {
        if (!entry.value.is_null()) {
          check_object(entry.value, object, below(inner, entry.key));
        }
      }
    } else if (key.type == ValueType::object_list && value.is_list()) {
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        check_object(value.items[i], object, inner + "[" + std::to_string(i) + "]");
      }
    } else if (value.is_mapping()) {
      check_object(value, object, inner);
    } else {
      needs(value, key, path,
            key.type == ValueType::object_list ? "a list" : "a mapping");
    }
  }

  void check_columns(Tree& value, const KeySpec& key, const std::string& path) {
    const ObjectSpec& object = object_spec(key.object);
    const std::string inner = below(path, key.key);
    if (value.is_list()) {
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        Tree& item = value.items[i];
        const std::string item_path = inner + "[" + std::to_string(i) + "]";
        if (is_textual(item)) continue;
        check_object(item, object, item_path);
        if (!item.broken && !item.has_unknown_keys && item.find("name") == nullptr) {
          fault(item, item_path, "key 'name' is missing" + at_path(item_path),
                "every column has a name");
        }
      }
    } else if (value.is_mapping()) {
      if (value.entries.size() == 1 && value.entries[0].key == "columns" &&
          !value.entries[0].value.is_scalar()) {
        check_columns(value.entries[0].value, key, path);
        return;
      }
      for (TreeEntry& entry : value.entries) {
        if (is_textual(entry.value) || entry.value.is_null()) continue;
        check_object(entry.value, object, below(inner, entry.key));
      }
    } else if (!is_textual(value)) {
      needs(value, key, path, "columns: a list, or names to types");
    }
  }

  void check_texts(Tree& value, const KeySpec& key, const std::string& path) {
    if (key.type == ValueType::flag_or_list && value.kind == TreeKind::boolean) return;
    const bool takes_mapping =
        key.type == ValueType::text_map || key.type == ValueType::selection;
    if (takes_mapping && value.is_mapping()) {
      for (TreeEntry& entry : value.entries) {
        if (!entry.value.is_scalar()) {
          needs(entry.value, key, path, "scalars as its values");
          value.broken = true;
        }
      }
      return;
    }
    if (key.type == ValueType::text_map) {
      needs(value, key, path, "a mapping");
      return;
    }
    if (value.is_list()) {
      for (Tree& item : value.items) {
        if (is_textual(item) || item.broken) continue;
        needs(item, key, path, "texts in its list");
        value.broken = true;
      }
      return;
    }
    if (!is_textual(value)) {
      needs(value, key, path,
            key.type == ValueType::flag_or_list ? "true, false or a list of names"
                                                : "a list of texts");
    }
  }

  Diagnostics& diagnostics_;
};

}  // namespace

void check_shape(Tree& mapping, const ObjectSpec& object, const std::string& path,
                 Diagnostics& diagnostics) {
  ShapeCheck(diagnostics).check_object(mapping, object, path);
}

std::string kind_of(const Tree& mapping, std::string_view object) {
  if (object == "expectation") {
    const Tree* type = mapping.find("type");
    if (type == nullptr || type->is_null()) return "ROW";
    return find_choice(find_key(object_spec(object), "type")->choices, type->text)
        .value_or("");
  }
  if (object != "source" && object != "sink") return {};
  const KeySpec* spec = find_key(object_spec(object), "type");
  const Tree* type = mapping.find("type");
  if (type != nullptr && !type->is_null()) {
    auto kind = find_choice(spec->choices, type->text);
    if (!kind) kind = find_choice(spec->refused, type->text);
    return kind.value_or("");
  }
  using Hint = std::pair<std::string_view, std::string_view>;
  constexpr std::array kSourceHints{
      Hint{"node_name", "PIPELINE_NODE"}, Hint{"path", "FILE"},
      Hint{"table_name", "TABLE"},        Hint{"data", "DATAFRAME"},
      Hint{"custom_reader", "CUSTOM"},    Hint{"topics", "KAFKA"},
      Hint{"topic_pattern", "KAFKA"},     Hint{"brokers", "KAFKA"},
      Hint{"publication", "POSTGRES"},    Hint{"snapshot", "POSTGRES"},
      Hint{"profile", "DELTA_SHARING"},   Hint{"share", "DELTA_SHARING"},
      Hint{"subjects", "EVENTS"},         Hint{"connection", "POSTGRES"}};
  constexpr std::array kSinkHints{Hint{"path", "FILE"},
                                  Hint{"table_name", "TABLE"},
                                  Hint{"topic", "KAFKA"},
                                  Hint{"brokers", "KAFKA"},
                                  Hint{"custom_writer", "CUSTOM"},
                                  Hint{"pipeline_view_name", "PIPELINE_VIEW"}};
  const std::span<const Hint> hints = object == "source"
                                          ? std::span<const Hint>(kSourceHints)
                                          : std::span<const Hint>(kSinkHints);
  for (const auto& [key, kind] : hints) {
    const Tree* value = mapping.find(key);
    if (value != nullptr && !value->is_null()) return std::string(kind);
  }
  return {};
}

std::string remote_scheme(std::string_view path) {
  if (path.starts_with("dbfs:/")) return "dbfs";
  const std::size_t end = path.find("://");
  if (end == std::string_view::npos || end == 0) return {};
  const std::string scheme = to_lower(path.substr(0, end));
  const bool is_scheme = std::all_of(scheme.begin(), scheme.end(), [](char character) {
    return (character >= 'a' && character <= 'z') ||
           (character >= '0' && character <= '9') || character == '+' ||
           character == '.' || character == '-';
  });
  const bool reached = scheme == "file" || scheme == "s3" || scheme == "s3a";
  return is_scheme && !reached ? scheme : "";
}

std::string at_path(const std::string& path) {
  return " at " + (path.empty() ? "the top level" : path);
}

std::string below(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

}  // namespace lakemill::language

#include "lakemill/language/yaml_tree.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lakemill/base/text.h"
#include "lakemill/language/yaml_parse.h"

namespace lakemill::language {

namespace {

constexpr int kIncludesMax = 10'000;
constexpr int kChainMax = 64;
constexpr int kNestedVariablesMax = 16;

bool is_yaml(std::string_view path) {
  const std::string lower = to_lower(path);
  return lower.ends_with(".yaml") || lower.ends_with(".yml") ||
         lower.ends_with(".json");
}

class TreeLoader {
 public:
  TreeLoader(FileReader& reader, const IncludeVariables& variables,
             Diagnostics& diagnostics)
      : reader_(reader), variables_(variables), diagnostics_(diagnostics) {}

  // `from`: the include that names the file; null for the file asked for.
  Tree load(const std::string& path, const Location* from) {
    Tree broken;
    broken.broken = true;
    broken.location = from == nullptr ? Location{path, 0, 0} : *from;
    if (std::find(chain_.begin(), chain_.end(), path) != chain_.end()) {
      tell(broken.location, "circular include: " + chain_text(path),
           "a file cannot include itself");
      return broken;
    }
    if (++includes_ > kIncludesMax || chain_.size() >= kChainMax) {
      if (!bound_told_) {
        tell(broken.location,
             "more than " + std::to_string(kIncludesMax) + " includes, or " +
                 std::to_string(kChainMax) + " inside each other: " + chain_text(path),
             "");
      }
      bound_told_ = true;
      return broken;
    }
    const Tree* parsed = parse(path, broken.location);
    if (parsed == nullptr) return broken;
    if (budget_.values_left < 0) bound_told_ = true;  // by the parser
    if (from != nullptr && !bound_told_) budget_.values_left -= sizes_[path];
    if (budget_.values_left < 0) {
      if (!bound_told_) tell(broken.location, "the includes expand without bound", "");
      bound_told_ = true;
      return broken;
    }
    Tree tree = *parsed;
    chain_.push_back(path);
    expand(tree);
    chain_.pop_back();
    return tree;
  }

 private:
  void tell(const Location& location, std::string message, std::string hint) {
    diagnostics_.error(location, "", std::move(message), std::move(hint));
  }

  std::string chain_text(const std::string& last) const {
    std::string text;
    for (const std::string& file : chain_) text += file + " -> ";
    return text + last;
  }

  const Tree* parse(const std::string& path, const Location& from) {
    const auto known = parsed_.find(path);
    if (known != parsed_.end()) return &known->second;
    auto text = reader_.read(path);
    if (!text) {
      std::string message = text.error().message();
      if (!chain_.empty()) message += " (" + chain_text(path) + ")";
      tell(from, std::move(message),
           text.error().code() == ErrorCode::not_found && !chain_.empty()
               ? "the path is relative to the file that names it"
               : "");
      return nullptr;
    }
    Tree tree = parse_yaml(*text, path, budget_, diagnostics_);
    sizes_[path] = count_values(tree);
    return &parsed_.emplace(path, std::move(tree)).first->second;
  }

  void expand(Tree& tree) {
    if (!tree.tag.empty()) {
      expand_include(tree);
    } else if (tree.is_list()) {
      expand_list(tree);
    } else if (tree.is_mapping()) {
      expand_mapping(tree);
    }
  }

  void expand_include(Tree& tree) {
    if (tree.tag == "!extend") {
      tell(tree.location, "!extend may stand only as an item of a list",
           "use !use to take the file as the value");
      make_broken(tree);
      return;
    }
    if (tree.tag == "!update") {
      tell(tree.location, "!update may stand only as the value of the key '<<'",
           "use !use to take the file as the value");
      make_broken(tree);
      return;
    }
    tree = include(tree);
  }

  static void make_broken(Tree& tree) {
    const Location location = tree.location;
    tree = Tree();
    tree.location = location;
    tree.broken = true;
  }

  // What the path of `reference` names: a file's value, a text, or a folder's list.
  Tree include(const Tree& reference) {
    Tree broken;
    broken.location = reference.location;
    broken.broken = true;
    const std::optional<std::string> written = path_text(reference);
    if (!written) return broken;
    if (written->empty()) {
      tell(reference.location, reference.tag + " needs the path of a file", "");
      return broken;
    }
    const std::string path =
        path_from(chain_.empty() ? "" : folder_of(chain_.back()), *written);
    if (reader_.is_folder(path)) return include_folder(path, reference);
    if (to_lower(path).ends_with(".sql")) return include_text(path, reference);
    if (!is_yaml(path)) {
      tell(reference.location, "cannot include '" + *written + "'",
           "name a .yaml, .yml, .json or .sql file, or a folder");
      return broken;
    }
    return load(path, &reference.location);
  }

  Tree include_text(const std::string& path, const Tree& reference) {
    Tree tree;
    tree.location = reference.location;
    auto text = reader_.read(path);
    if (!text) {
      tell(reference.location, text.error().message() + " (" + chain_text(path) + ")",
           "the path is relative to the file that names it");
      tree.broken = true;
      return tree;
    }
    std::string_view content = *text;
    if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
    tree = make_string(std::string(content));
    std::erase(tree.text, '\r');
    tree.location = {path, 1, 1};
    return tree;
  }

  Tree include_folder(const std::string& path, const Tree& reference) {
    Tree list;
    list.kind = TreeKind::list;
    list.location = reference.location;
    auto files = reader_.files_below(path);
    if (!files) {
      tell(reference.location, files.error().message(), "");
      list.broken = true;
      return list;
    }
    for (const std::string& file : *files) {
      const std::string lower = to_lower(file);
      if (!lower.ends_with(".yaml") && !lower.ends_with(".yml")) continue;
      list.items.push_back(load(path_from(path, file), &reference.location));
    }
    return list;
  }

  void expand_list(Tree& list) {
    std::vector<Tree> items;
    items.reserve(list.items.size());
    for (Tree& item : list.items) {
      if (item.tag != "!extend") {
        expand(item);
        items.push_back(std::move(item));
        continue;
      }
      Tree extension = include(item);
      if (extension.broken) {
        items.push_back(std::move(extension));
      } else if (!extension.is_list()) {
        tell(item.location,
             "!extend needs a list, but '" + item.text + "' holds " +
                 std::string(kind_name(extension.kind)),
             "use !use to take it as one item");
        make_broken(item);
        items.push_back(std::move(item));
      } else {
        std::move(extension.items.begin(), extension.items.end(),
                  std::back_inserter(items));
      }
    }
    list.items = std::move(items);
  }

  void expand_mapping(Tree& mapping) {
    Tree* variables = mapping.find("variables");
    if (variables != nullptr) expand(*variables);
    const bool scoped = variables != nullptr && variables->is_mapping();
    if (scoped) scopes_.push_back(*variables);

    const bool merges =
        std::any_of(mapping.entries.begin(), mapping.entries.end(),
                    [](const TreeEntry& entry) { return entry.key == "<<"; });
    for (TreeEntry& entry : mapping.entries) {
      if (entry.key != "<<" && &entry.value != variables) expand(entry.value);
    }
    if (merges) merge_entries(mapping);
    if (scoped) scopes_.pop_back();
  }

  // Puts what `<<` names in its place: later keys win, whoever wrote them.
  void merge_entries(Tree& mapping) {
    std::vector<TreeEntry> merged;
    std::unordered_map<std::string, std::size_t> positions;
    const auto put = [&](TreeEntry entry) {
      const auto [position, is_new] = positions.emplace(entry.key, merged.size());
      if (is_new) {
        merged.push_back(std::move(entry));
      } else {
        merged[position->second] = std::move(entry);
      }
    };
    for (TreeEntry& entry : mapping.entries) {
      if (entry.key != "<<") {
        put(std::move(entry));
        continue;
      }
      for (Tree& source : merge_sources(entry.value)) {
        for (TreeEntry& inner : source.entries) put(std::move(inner));
        if (source.broken) mapping.broken = true;
      }
    }
    mapping.entries = std::move(merged);
  }

  // The mappings that the value of a `<<` stands for.
  std::vector<Tree> merge_sources(Tree& value) {
    std::vector<Tree> sources;
    if (value.is_list() && value.tag.empty()) {
      for (Tree& item : value.items) {
        for (Tree& source : merge_sources(item)) sources.push_back(std::move(source));
      }
      return sources;
    }
    const std::string written = value.text;
    const Location location = value.location;
    if (value.tag == "!update" || value.tag == "!use") {
      value = include(value);
    } else {
      expand(value);
    }
    if (value.broken || value.is_mapping()) {
      sources.push_back(std::move(value));
      return sources;
    }
    tell(location,
         written.empty()
             ? "'<<' needs a mapping, not " + std::string(kind_name(value.kind))
             : "'<<' needs a mapping, but '" + written + "' holds " +
                   std::string(kind_name(value.kind)),
         "");
    return sources;
  }

  // The path that an include names, `${vars.…}` put in.
  std::optional<std::string> path_text(const Tree& reference) {
    return put_in(reference.text, reference.location, 0);
  }

  std::optional<std::string> put_in(const std::string& text, const Location& location,
                                    int depth) {
    if (depth > kNestedVariablesMax) {
      tell(location, "the variables in '" + text + "' refer to themselves", "");
      return std::nullopt;
    }
    std::string result;
    std::size_t position = 0;
    while (true) {
      const std::size_t begin = text.find("${", position);
      if (begin == std::string::npos) break;
      const std::size_t end = text.find('}', begin);
      if (end == std::string::npos) break;
      result += text.substr(position, begin - position);
      position = end + 1;
      std::string name = text.substr(begin + 2, end - begin - 2);
      const bool is_variable = name.starts_with("vars.") || name.starts_with("var.");
      if (is_variable) name = name.substr(name.find('.') + 1);
      const auto value = is_variable ? variable(name) : std::nullopt;
      if (!value) {
        tell(location,
             is_variable ? "the variable '" + name + "' of this path is not set"
                         : "only ${vars.NAME} may stand in a path, not '" +
                               text.substr(begin, end + 1 - begin) + "'",
             is_variable ? "set it in `variables:` of an enclosing mapping, with --var "
                           "or in the environment"
                         : "");
        return std::nullopt;
      }
      const auto inner = put_in(*value, location, depth + 1);
      if (!inner) return std::nullopt;
      result += *inner;
    }
    return result + text.substr(position);
  }

  std::optional<std::string> variable(const std::string& name) const {
    if (variables_.before) {
      if (auto value = variables_.before(name)) return value;
    }
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      for (const TreeEntry& entry : scope->entries) {
        if (equals_ignoring_case(entry.key, name) && entry.value.is_scalar() &&
            !entry.value.is_null()) {
          return entry.value.text;
        }
      }
    }
    return variables_.after ? variables_.after(name) : std::nullopt;
  }

  FileReader& reader_;
  const IncludeVariables& variables_;
  Diagnostics& diagnostics_;
  ExpansionBudget budget_;
  std::map<std::string, Tree> parsed_;
  std::map<std::string, std::int64_t> sizes_;
  std::vector<std::string> chain_;
  std::vector<Tree> scopes_;
  int includes_ = 0;
  bool bound_told_ = false;
};

}  // namespace

Tree load_tree(const std::string& path, FileReader& reader,
               const IncludeVariables& variables, Diagnostics& diagnostics) {
  return TreeLoader(reader, variables, diagnostics).load(path, nullptr);
}

}  // namespace lakemill::language

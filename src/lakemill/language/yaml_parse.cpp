#include "lakemill/language/yaml_parse.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_set>
#include <utility>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "lakemill/base/guard.h"
#include "lakemill/base/text.h"

namespace lakemill::language {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kStandardTag = "tag:yaml.org,2002:";
constexpr int kDepthMax = 200;

std::string without_carriage_returns(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool ends_line =
        text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!ends_line) result.push_back(text[i]);
  }
  return result;
}

// The length of the UTF-8 character at `offset`; 0 if the bytes are none, or are a
// control character that YAML forbids.
std::size_t character_length(std::string_view text, std::size_t offset) {
  const auto byte = [&](std::size_t i) {
    return offset + i < text.size() ? static_cast<unsigned char>(text[offset + i]) : 0U;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) {
    const bool control = (lead < 0x20 && lead != '\n' && lead != '\t') || lead == 0x7F;
    return control ? 0 : 1;
  }
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

Location place_of(std::string_view text, std::size_t offset, const std::string& file) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {file, static_cast<int>(line) + 1, static_cast<int>(offset - line_start) + 1};
}

// True when all bytes are text; else tells the first that is not.
bool check_encoding(std::string_view text, const std::string& file,
                    Diagnostics& diagnostics) {
  for (std::size_t offset = 0; offset < text.size();) {
    const std::size_t length = character_length(text, offset);
    if (length == 0) {
      std::ostringstream byte;
      byte << std::hex << std::uppercase
           << static_cast<unsigned>(static_cast<unsigned char>(text[offset]));
      diagnostics.error(place_of(text, offset, file), "",
                        "the byte 0x" + byte.str() + " is not UTF-8 text",
                        "save the file as UTF-8");
      return false;
    }
    offset += length;
  }
  return true;
}

bool is_frame_name(std::string_view key) {
  return key == "df" || key.starts_with("nodes.") || key.starts_with("sources.");
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const std::string& file, ExpansionBudget& budget,
              Diagnostics& diagnostics)
      : text_(text), file_(file), budget_(budget), diagnostics_(diagnostics) {}

  Tree take() { return std::move(root_); }
  bool too_deep() const { return too_deep_; }
  /// Of the first quoted text that goes on to the end of the file.
  const std::optional<Location>& unclosed_quote() const { return unclosed_quote_; }

  /// Where the document begins: at its "---" if it has one.
  std::size_t begin() const { return begin_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    begin_ = std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size());
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Tree tree;
    tree.location = at(mark);
    if (awaits_key()) {
      fault(tree.location, "a key is missing or null", "write a name before the ':'");
      set_key("", tree.location);
      return;
    }
    put(std::move(tree), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    const Location location = at(mark);
    Tree tree;
    tree.location = location;
    if (budget_.values_left < 0) {
      tree.broken = true;  // told already
    } else if (found == anchors_.end()) {
      fault(location, "this alias stands inside its own anchor",
            "an anchor cannot hold itself");
      tree.broken = true;
    } else if (take_from_budget(found->second.size, location)) {
      tree = found->second.tree;
    } else {
      tree.broken = true;
    }
    if (awaits_key()) {
      if (!tree.is_string()) {
        fault(location, "a key must be text", "");
      }
      set_key(tree.text, location);
      return;
    }
    put(std::move(tree), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const Location location = at(mark);
    check_quote(mark);
    if (awaits_key()) {
      set_key(value, location);
      return;
    }
    put(scalar(tag, value, mark), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, TreeKind::list, false);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, TreeKind::mapping, style == YAML::EmitterStyle::Flow);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Tree tree;
    YAML::anchor_t anchor = 0;
    bool flow = false;
    bool has_key = false;
    bool key_is_duplicate = false;
    bool is_key = false;  // a list or mapping where a key should be
    std::string key;
    Location key_location;
    std::unordered_set<std::string> keys;
  };
  struct Anchored {
    Tree tree;
    std::int64_t size = 0;
  };

  Location at(const YAML::Mark& mark) const {
    return {file_, mark.line + 1, mark.column + 1};
  }

  void fault(const Location& location, std::string message, std::string hint) {
    diagnostics_.error(location, "", std::move(message), std::move(hint));
  }

  bool take_from_budget(std::int64_t count, const Location& location) {
    if (budget_.values_left < 0) return false;  // told already
    budget_.values_left -= count;
    if (budget_.values_left >= 0) return true;
    fault(location,
          "anchors and includes expand to more than " +
              std::to_string(ExpansionBudget::kValuesMax) + " values",
          "an alias repeats other aliases too often");
    return false;
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().tree.is_mapping() && !open_.back().has_key;
  }

  void set_key(const std::string& key, const Location& location) {
    Open& top = open_.back();
    top.has_key = true;
    top.key = key;
    top.key_location = location;
    top.key_is_duplicate = key != "<<" && !top.keys.insert(key).second;
    if (top.key_is_duplicate && !key.empty()) {
      fault(location, "the key '" + key + "' stands twice in this mapping",
            "remove one of the two");
    }
  }

  Tree scalar(const std::string& tag, const std::string& value,
              const YAML::Mark& mark) {
    const Location location = at(mark);
    if (tag.empty() || tag == "?") return plain_scalar(value, location);
    Tree tree = make_string(value);
    tree.location = location;
    tree.block = begins_block(mark);
    if (tag == "!") return tree;
    if (tag == "!use" || tag == "!extend" || tag == "!update") {
      tree.tag = tag;
      return tree;
    }
    if (tag.starts_with(kStandardTag)) {
      const std::string_view name = std::string_view(tag).substr(kStandardTag.size());
      if (name == "str") return tree;
      if (name == "int" || name == "float" || name == "bool" || name == "null") {
        return plain_scalar(value, location);
      }
    }
    unknown_tag(tag, location);
    tree.broken = true;
    return tree;
  }

  void unknown_tag(const std::string& tag, const Location& location) {
    const std::vector<std::string> known = {"!use", "!extend", "!update"};
    const auto meant = nearest(tag, known);
    fault(location, "unknown tag '" + tag + "'",
          meant ? "did you mean '" + *meant + "'?"
                : "known tags are !use, !extend and !update");
  }

  // Where the scalar at `mark` begins, after its tag and anchor if it has some.
  std::size_t begin_of_scalar(const YAML::Mark& mark) const {
    auto offset = static_cast<std::size_t>(std::max(mark.pos, 0));
    while (offset < text_.size() && (text_[offset] == '&' || text_[offset] == '!')) {
      offset = text_.find_first_of(" \n", offset);
      if (offset == std::string_view::npos) return text_.size();
      offset = text_.find_first_not_of(" \n", offset);
      if (offset == std::string_view::npos) return text_.size();
    }
    return std::min(offset, text_.size());
  }

  // Whether the scalar at `mark` is written as a block (`|` or `>`).
  bool begins_block(const YAML::Mark& mark) const {
    const std::size_t offset = begin_of_scalar(mark);
    return offset < text_.size() && (text_[offset] == '|' || text_[offset] == '>');
  }

  // The parser takes all that follows an unclosed quote for its text.
  void check_quote(const YAML::Mark& mark) {
    const std::size_t begin = begin_of_scalar(mark);
    if (unclosed_quote_ || begin == text_.size()) return;
    const char quote = text_[begin];
    if (quote != '"' && quote != '\'') return;
    for (std::size_t i = begin + 1; i < text_.size(); ++i) {
      if (quote == '"' && text_[i] == '\\') {
        ++i;
      } else if (text_[i] == quote) {
        const bool is_text =
            quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote;
        if (!is_text) return;
        ++i;
      }
    }
    unclosed_quote_ = place_of(text_, begin, file_);
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            TreeKind kind, bool flow) {
    Open opened;
    opened.tree.kind = kind;
    opened.tree.location = at(mark);
    opened.anchor = anchor;
    opened.flow = flow;
    opened.is_key = awaits_key();
    if (opened.is_key) {
      // `{{x}}` and `{x}: …`: braces that a person meant as text.
      fault(opened.tree.location, "a key must be text, not a list or a mapping",
            "put the text in quotes");
    }
    if (open_.size() >= kDepthMax) too_deep_ = true;
    if (!tag.empty() && tag[0] == '!' && tag.size() > 1) {
      if (tag == "!use" || tag == "!extend" || tag == "!update") {
        fault(opened.tree.location, tag + " needs the path of a file", "");
      } else {
        unknown_tag(tag, opened.tree.location);
      }
      opened.tree.broken = true;
    }
    open_.push_back(std::move(opened));
  }

  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    if (closed.is_key) {
      set_key("", closed.tree.location);
      return;
    }
    Tree& tree = closed.tree;
    if (closed.flow && tree.entries.size() == 1 && tree.entries[0].value.is_null() &&
        tree.entries[0].value.text.empty() && is_frame_name(tree.entries[0].key)) {
      Tree reference = make_string("{" + tree.entries[0].key + "}");
      reference.location = tree.location;
      tree = std::move(reference);
    }
    put(std::move(tree), closed.anchor);
  }

  void put(Tree tree, YAML::anchor_t anchor) {
    if (anchor != 0) {
      const std::int64_t size = count_values(tree);
      if (take_from_budget(size, tree.location)) anchors_[anchor] = {tree, size};
    }
    if (open_.empty()) {
      root_ = std::move(tree);
      return;
    }
    Open& top = open_.back();
    if (top.tree.is_list()) {
      top.tree.items.push_back(std::move(tree));
      return;
    }
    top.has_key = false;
    if (top.key_is_duplicate || top.key.empty()) return;
    top.tree.entries.push_back(
        {std::move(top.key), std::move(top.key_location), std::move(tree)});
  }

  std::string_view text_;
  const std::string& file_;
  ExpansionBudget& budget_;
  Diagnostics& diagnostics_;
  Tree root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t begin_ = 0;
  bool too_deep_ = false;
  std::optional<Location> unclosed_quote_;
};

// What to do about a fault of the syntax, as far as its line tells.
std::string syntax_hint(std::string_view text, int line) {
  std::istringstream lines{std::string(text)};
  std::string content;
  for (int i = 0; i <= line && std::getline(lines, content); ++i) {
  }
  const std::size_t first = content.find_first_not_of(" \t");
  if (content.substr(0, first).find('\t') != std::string::npos) {
    return "indent with spaces: YAML allows no tab there";
  }
  if (content.find("${") != std::string::npos) {
    return "inside { } and [ ], put a value that holds '${' in quotes";
  }
  if (content.find(": ") != content.rfind(": ")) {
    return "put a value that holds ': ' in quotes";
  }
  if (content.find('{') != std::string::npos) {
    return "put a value that begins with '{' in quotes";
  }
  return "check the indentation and the quotes of this line and the one before";
}

}  // namespace

std::int64_t count_values(const Tree& tree) {
  std::int64_t count = 1;
  for (const Tree& item : tree.items) count += count_values(item);
  for (const TreeEntry& entry : tree.entries) count += count_values(entry.value);
  return count;
}

Tree parse_yaml(std::string_view text, const std::string& file, ExpansionBudget& budget,
                Diagnostics& diagnostics) {
  Tree broken;
  broken.location = {file, 1, 1};
  broken.broken = true;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::string content = without_carriage_returns(text);
  if (!check_encoding(content, file, diagnostics)) return broken;

  TreeBuilder builder(content, file, budget, diagnostics);
  std::optional<YAML::Mark> fault_mark;
  std::string fault_message;
  std::optional<std::size_t> second_document;
  const Status parsed = guard("parse YAML", [&] {
    std::istringstream stream(content);
    try {
      YAML::Parser parser(stream);
      parser.HandleNextDocument(builder);
      TreeBuilder rest(content, file, budget, diagnostics);
      if (parser.HandleNextDocument(rest)) second_document = rest.begin();
    } catch (const YAML::Exception& exception) {
      fault_mark = exception.mark;
      fault_message = exception.msg;
    }
  });
  if (builder.unclosed_quote()) {
    diagnostics.error(*builder.unclosed_quote(), "", "this quote is not closed",
                      "write the same quote where the text ends");
    return broken;
  }
  if (fault_mark) {
    diagnostics.error({file, fault_mark->line + 1, fault_mark->column + 1}, "",
                      "not valid YAML: " + fault_message,
                      syntax_hint(content, fault_mark->line));
    return broken;
  }
  if (!parsed) {
    diagnostics.error({file, 1, 1}, "", parsed.error().message(), "");
    return broken;
  }
  if (builder.too_deep()) {
    diagnostics.error(
        {file, 1, 1}, "",
        "values are nested more than " + std::to_string(kDepthMax) + " levels deep",
        "");
    return broken;
  }
  if (second_document) {
    if (content.compare(*second_document, 3, "---") == 0) {
      diagnostics.error({file, 1, 1}, "", "the file holds more than one YAML document",
                        "remove the '---' between them");
    } else {
      diagnostics.error(place_of(content, *second_document, file), "",
                        "what begins here is no part of what stands before it",
                        "indent it as the lines that it belongs to, or remove it");
    }
    return broken;
  }
  Tree tree = builder.take();
  if (tree.location.line == 0) tree.location = {file, 1, 1};
  return tree;
}

}  // namespace lakemill::language

#include "lakemill/language/variable_pattern.h"

#include <regex>
#include <utility>

#include "lakemill/base/guard.h"

namespace lakemill::language {

struct VariablePattern::Compiled {
  std::regex expression;
};

namespace {

// Python's replacement text: \1 and \g<1> name groups.
std::string put_groups(const std::string& pattern, const std::smatch& match) {
  std::string text;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 >= pattern.size()) {
      text.push_back(pattern[i]);
      continue;
    }
    const char next = pattern[++i];
    std::size_t group = match.size();
    if (next >= '0' && next <= '9') {
      group = static_cast<std::size_t>(next - '0');
    } else if (next == 'g' && i + 3 < pattern.size() && pattern[i + 1] == '<' &&
               pattern[i + 3] == '>') {
      group = static_cast<std::size_t>(pattern[i + 2] - '0');
      i += 3;
    } else {
      text.push_back(next);
    }
    if (group < match.size()) text += match[group].str();
  }
  return text;
}

}  // namespace

Result<VariablePattern> VariablePattern::compile(const std::string& expression) {
  LAKEMILL_TRY(auto compiled, guard("compile", [&] { return std::regex(expression); }));
  return VariablePattern(
      std::make_shared<const Compiled>(Compiled{std::move(compiled)}));
}

Result<std::string> VariablePattern::replace(const std::string& text,
                                             const std::string& replacement) const {
  return guard("replace", [&] {
    std::string result;
    auto position = text.cbegin();
    const std::sregex_iterator end;
    for (std::sregex_iterator it(text.begin(), text.end(), compiled_->expression);
         it != end; ++it) {
      result.append(position, (*it)[0].first);
      result += put_groups(replacement, *it);
      position = (*it)[0].second;
    }
    result.append(position, text.cend());
    return result;
  });
}

}  // namespace lakemill::language

#include "lakemill/language/signature.h"

namespace lakemill::language {

std::vector<SignatureParameter> parse_signature(std::string_view signature) {
  std::vector<SignatureParameter> parameters;
  if (signature.empty()) return parameters;
  bool named_only = false;
  for (const std::string& part : split(signature, ',')) {
    std::string_view text = trim(part);
    SignatureParameter parameter;
    if (text == "*") {
      named_only = true;
      continue;
    }
    if (text.starts_with("**")) {
      parameter.kind = ParameterKind::many_named;
      text.remove_prefix(2);
    } else if (text.starts_with("*")) {
      parameter.kind = ParameterKind::many;
      text.remove_prefix(1);
      named_only = true;
    } else {
      if (named_only) parameter.kind = ParameterKind::named_only;
      parameter.required = text.find('=') == std::string_view::npos;
    }
    parameter.name = std::string(text.substr(0, text.find('=')));
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

}  // namespace lakemill::language

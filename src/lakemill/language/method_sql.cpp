#include "lakemill/language/method_sql.h"

#include <algorithm>
#include <array>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_parser.h"
#include "lakemill/language/method_context.h"

namespace lakemill::language {
namespace {

std::array<std::span<const MethodEntry>, 3> all_methods() {
  return {column_methods(), row_methods(), frame_methods()};
}

Error error_in(const MethodCall& call, std::string_view message) {
  const std::string place = to_text(call.location);
  return Error(ErrorCode::invalid,
               (place.empty() ? "" : place + ": ") + std::string(message));
}

// `group_by("a", "b").agg` as a name: the keys are written in it.
Result<MethodCall> without_chain(const MethodCall& call) {
  if (!call.name.starts_with("group_by(")) return call;
  LAKEMILL_TRY(SyntaxNodePtr root, parse_expression(call.name));
  const SyntaxNode* node = root.get();
  if (node->kind == NodeKind::call) node = node->children[0].get();
  const bool chain = node->kind == NodeKind::attribute && node->text == "agg" &&
                     node->children[0]->kind == NodeKind::call &&
                     (node == root.get() || root->children.size() == 1);
  if (!chain) {
    return error_in(call,
                    "a chain of methods is written group_by(\"key\").agg, with its "
                    "aggregations as arguments");
  }
  MethodCall group;
  group.name = "group_by";
  group.location = call.location;
  const SyntaxNode& keys = *node->children[0];
  for (std::size_t i = 1; i < keys.children.size(); ++i) {
    const SyntaxNode& key = *keys.children[i];
    std::vector<const SyntaxNode*> names = {&key};
    if (key.kind == NodeKind::list) {
      names.clear();
      for (const SyntaxNodePtr& item : key.children) names.push_back(item.get());
    }
    for (const SyntaxNode* name : names) {
      if (name->kind != NodeKind::string) {
        return error_in(call, "the keys of a chained group_by are names of columns");
      }
      Tree tree = make_string(name->text);
      tree.location = call.location;
      group.arguments.push_back(std::move(tree));
    }
  }
  MethodCall aggregation = call;
  aggregation.name = "agg";
  return fuse_methods(group, aggregation);
}

bool has_null(const Tree& value) {
  return value.is_null() ||
         std::any_of(value.items.begin(), value.items.end(),
                     [](const Tree& item) { return has_null(item); });
}

bool has_null(const MethodCall& call) {
  return std::any_of(call.arguments.begin(), call.arguments.end(),
                     [](const Tree& argument) { return has_null(argument); }) ||
         std::any_of(call.named_arguments.begin(), call.named_arguments.end(),
                     [](const NamedArgument& item) { return has_null(item.value); });
}

// `faults`: see MethodContext.
Result<std::string> compile(const MethodCall& original, const Frame& input,
                            const FrameResolver& frames, std::vector<Error>* faults) {
  LAKEMILL_TRY(MethodCall call, without_chain(original));
  const MethodEntry* entry = find_method(call.name);
  if (entry == nullptr) {
    std::string message = "unknown method '" + call.name + "'";
    const std::vector<std::string> known = known_methods();
    auto meant = nearest(call.name, known);
    message += meant ? "; did you mean '" + *meant + "'?"
                     : "; there are: " + join(known, ", ");
    return error_in(call, message);
  }
  std::vector<const Tree*> positional;
  for (const Tree& argument : call.arguments) positional.push_back(&argument);
  std::vector<std::pair<std::string, const Tree*>> named;
  for (const NamedArgument& argument : call.named_arguments) {
    named.emplace_back(argument.name, &argument.value);
  }
  auto bound = bind_arguments(entry->name, entry->signature, positional, named);
  MethodContext context{call, input, frames, Dialect::duckdb, {}, faults};
  if (const auto* fault = std::get_if<BindFault<Tree>>(&bound)) {
    return context.error(fault->at, fault->message);
  }
  context.arguments = std::get<BoundArguments<Tree>>(std::move(bound));
  return entry->handler(context);
}

}  // namespace

const MethodEntry* find_method(std::string_view name) {
  for (const std::span<const MethodEntry> entries : all_methods()) {
    for (const MethodEntry& entry : entries) {
      if (entry.name == name) return &entry;
    }
  }
  return nullptr;
}

bool is_known_method(std::string_view name) {
  return find_method(name) != nullptr || (name.starts_with("group_by(") &&
                                          name.find(").agg") != std::string_view::npos);
}

std::vector<std::string> known_methods() {
  std::vector<std::string> names;
  for (const MethodDescription& description : method_descriptions()) {
    names.emplace_back(description.name);
  }
  return names;
}

std::vector<MethodDescription> method_descriptions() {
  std::vector<MethodDescription> descriptions;
  for (const std::span<const MethodEntry> entries : all_methods()) {
    for (const MethodEntry& entry : entries) {
      descriptions.push_back(
          MethodDescription{entry.name, entry.signature, entry.summary});
    }
  }
  return descriptions;
}

bool continues_method(const MethodCall& call, const MethodCall& next) {
  return call.name == "group_by" && next.name == "agg";
}

MethodCall fuse_methods(const MethodCall& call, const MethodCall& next) {
  MethodCall fused = call;
  NamedArgument aggregations;
  aggregations.name = "aggs";
  aggregations.location = next.location;
  aggregations.value.kind = TreeKind::list;
  aggregations.value.location = next.location;
  aggregations.value.items = next.arguments;
  for (const NamedArgument& named : next.named_arguments) {
    if (named.name == "aggs") {
      aggregations.value.items.push_back(named.value);
    } else {
      fused.named_arguments.push_back(named);
    }
  }
  fused.named_arguments.push_back(std::move(aggregations));
  return fused;
}

std::vector<Step> fused_steps(const std::vector<Step>& steps) {
  std::vector<Step> fused;
  for (const Step& step : steps) {
    const bool continues = !fused.empty() && !step.is_sql() && !fused.back().is_sql() &&
                           continues_method(fused.back().method(), step.method());
    if (!continues) {
      fused.push_back(step);
      continue;
    }
    fused.back().what = fuse_methods(fused.back().method(), step.method());
  }
  return fused;
}

Result<std::string> compile_method(const MethodCall& original, const Frame& input,
                                   const FrameResolver& frames, Dialect dialect) {
  if (dialect != Dialect::duckdb) {
    return Error(ErrorCode::unsupported,
                 "methods are written for the embedded engine only");
  }
  if (input.schema.fields.empty()) {
    return error_in(original, "the frame has no columns");
  }
  return compile(original, input, frames, nullptr);
}

std::vector<MethodFault> check_method(const MethodCall& call) {
  Frame any;
  any.relation = "\"any\"";
  any.is_open = true;
  const FrameResolver frames = [&any](std::string_view) -> Result<Frame> {
    return any;
  };
  std::vector<Error> faults;
  const auto compiled = compile(call, any, frames, &faults);
  // What fails because of a part that failed is no fault of its own, and null may stand
  // for a parameter that only a run has.
  const bool complete = !has_null(call);
  if (!compiled && faults.empty() && complete) faults.push_back(compiled.error());
  std::vector<MethodFault> found;
  for (const Error& fault : faults) {
    MethodFault placed;
    placed.message = fault.message();
    placed.location = take_place(placed.message, call.location);
    found.push_back(std::move(placed));
  }
  return found;
}

}  // namespace lakemill::language

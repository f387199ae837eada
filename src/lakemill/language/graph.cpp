#include "lakemill/language/graph.h"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "lakemill/base/text.h"
#include "lakemill/language/sql_text.h"

namespace lakemill::language {

namespace {

using Edges = std::vector<std::vector<std::size_t>>;

std::optional<FrameReference> reference_at(std::string_view text, std::size_t open) {
  const std::size_t close = text.find('}', open);
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view inner = trim(text.substr(open + 1, close - open - 1));
  FrameReference reference;
  reference.offset = open;
  reference.length = close + 1 - open;
  if (inner == "df") return reference;
  const std::size_t dot = inner.find('.');
  if (dot == std::string_view::npos || dot + 1 == inner.size()) return std::nullopt;
  const std::string_view prefix = inner.substr(0, dot);
  if (prefix != "nodes" && prefix != "sources") return std::nullopt;
  if (inner.find_first_of(" \t\n{'\"") != std::string_view::npos) return std::nullopt;
  reference.kind =
      prefix == "nodes" ? FrameReference::Kind::node : FrameReference::Kind::source;
  reference.name = inner.substr(dot + 1);
  return reference;
}

// The one reference that `text` is; nothing if there is more to it.
std::optional<FrameReference> lone_reference(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (trimmed.empty() || trimmed[0] != '{') return std::nullopt;
  auto reference = reference_at(trimmed, 0);
  if (!reference || reference->length != trimmed.size()) return std::nullopt;
  return reference;
}

void collect(const Tree& value, std::vector<StepReference>& found) {
  if (value.is_string() && !value.literal) {
    if (auto reference = lone_reference(value.text)) {
      found.push_back({*std::move(reference), value.location});
    }
  }
  for (const Tree& item : value.items) collect(item, found);
  for (const TreeEntry& entry : value.entries) collect(entry.value, found);
}

void collect(const SourceText& sql, std::vector<StepReference>& found) {
  for (FrameReference& reference : frame_references(sql.text)) {
    const Location location = place_in(sql, reference.offset);
    found.push_back({std::move(reference), location});
  }
}

std::unordered_map<std::string_view, std::size_t> positions_of(
    const Pipeline& pipeline) {
  std::unordered_map<std::string_view, std::size_t> positions;
  for (std::size_t i = 0; i < pipeline.nodes.size(); ++i) {
    positions.emplace(pipeline.nodes[i].name, i);
  }
  return positions;
}

Edges node_edges(const Pipeline& pipeline) {
  const auto positions = positions_of(pipeline);
  Edges edges(pipeline.nodes.size());
  for (std::size_t i = 0; i < pipeline.nodes.size(); ++i) {
    for (const std::string& name : upstream_of(pipeline.nodes[i])) {
      const auto found = positions.find(name);
      if (found != positions.end()) edges[i].push_back(found->second);
    }
  }
  return edges;
}

Edges reversed(const Edges& edges) {
  Edges result(edges.size());
  for (std::size_t i = 0; i < edges.size(); ++i) {
    for (const std::size_t other : edges[i]) result[other].push_back(i);
  }
  return result;
}

// All positions reached from `starts`, themselves included.
std::vector<bool> reached(const Edges& edges, const std::vector<std::size_t>& starts) {
  std::vector<bool> seen(edges.size());
  std::vector<std::size_t> stack = starts;
  for (const std::size_t start : starts) seen[start] = true;
  while (!stack.empty()) {
    const std::size_t current = stack.back();
    stack.pop_back();
    for (const std::size_t next : edges[current]) {
      if (seen[next]) continue;
      seen[next] = true;
      stack.push_back(next);
    }
  }
  return seen;
}

struct Selector {
  bool upstream = false;
  bool downstream = false;
  std::string_view core;
};

Selector parse_selector(std::string_view text) {
  Selector selector;
  selector.upstream = text.starts_with('*');
  if (selector.upstream) text.remove_prefix(1);
  selector.downstream = text.ends_with('*');
  if (selector.downstream) text.remove_suffix(1);
  selector.core = text;
  return selector;
}

Result<std::vector<std::size_t>> matches(const Pipeline& pipeline,
                                         std::string_view core) {
  std::vector<std::size_t> found;
  std::vector<std::string> known;
  std::string_view what = "node";
  std::string_view wanted = core;
  if (core.starts_with("tag:")) {
    what = "tag";
    wanted.remove_prefix(4);
  } else if (core.starts_with("group:")) {
    what = "group";
    wanted.remove_prefix(6);
  }
  for (std::size_t i = 0; i < pipeline.nodes.size(); ++i) {
    const Node& node = pipeline.nodes[i];
    const std::vector<std::string> names =
        what == "node"  ? std::vector<std::string>{node.name}
        : what == "tag" ? node.tags
                        : std::vector<std::string>{node.execution_task_name};
    known.insert(known.end(), names.begin(), names.end());
    if (std::find(names.begin(), names.end(), wanted) != names.end()) {
      found.push_back(i);
    }
  }
  if (!found.empty()) return found;
  std::string message = "the pipeline '" + pipeline.name + "' has no " +
                        std::string(what) + " '" + std::string(wanted) + "'";
  if (const auto meant = nearest(wanted, known)) {
    message += "; did you mean '" + *meant + "'?";
  }
  return Error(ErrorCode::invalid, std::move(message));
}

}  // namespace

std::vector<FrameReference> frame_references(std::string_view text) {
  std::vector<FrameReference> references;
  if (text.find('{') == std::string_view::npos) return references;
  for (const RegionSpan& span : sql_regions(text)) {
    if (span.region != TextRegion::code) continue;
    for (std::size_t open = text.find('{', span.begin); open < span.end;
         open = text.find('{', open + 1)) {
      auto reference = reference_at(text, open);
      if (!reference) continue;
      open += reference->length - 1;
      references.push_back(*std::move(reference));
    }
  }
  return references;
}

std::vector<StepReference> step_references(const Step& step) {
  std::vector<StepReference> found;
  if (step.is_sql()) {
    collect(step.sql(), found);
    return found;
  }
  for (const Tree& argument : step.method().arguments) collect(argument, found);
  for (const NamedArgument& argument : step.method().named_arguments) {
    collect(argument.value, found);
  }
  return found;
}

std::vector<Name> upstream_mentions(const Node& node) {
  std::vector<Name> names;
  const auto add = [&](const std::vector<StepReference>& references) {
    for (const StepReference& reference : references) {
      if (reference.frame.kind == FrameReference::Kind::node) {
        names.push_back({reference.frame.name, reference.location});
      }
    }
  };
  for (const Source& source : node.sources) {
    if (source.kind == SourceKind::pipeline_node && !source.node_name.empty()) {
      names.push_back({source.node_name, source.node_name_location});
    }
    for (const std::string& writer : source.written_by) {
      names.push_back({writer, source.location});
    }
  }
  for (const Step& step : node.steps) add(step_references(step));
  for (const Expectation& expectation : node.expectations) {
    // A reference to the node itself is one to what it is about to be.
    if (!expectation.to_node.empty() && expectation.to_node != node.name) {
      names.push_back({expectation.to_node, expectation.location});
    }
  }
  names.insert(names.end(), node.depends_on.begin(), node.depends_on.end());
  return names;
}

std::vector<std::string> upstream_of(const Node& node) {
  std::vector<std::string> upstream;
  std::unordered_set<std::string> seen;
  for (Name& name : upstream_mentions(node)) {
    if (seen.insert(name.text).second) upstream.push_back(std::move(name.text));
  }
  return upstream;
}

std::vector<std::vector<std::size_t>> run_dependencies(const Pipeline& pipeline) {
  Edges edges = node_edges(pipeline);
  std::vector<std::pair<std::string_view, std::vector<std::size_t>>> groups;
  std::unordered_map<std::string_view, std::size_t> group_of;
  for (std::size_t i = 0; i < pipeline.nodes.size(); ++i) {
    const std::string_view name = pipeline.nodes[i].execution_task_name;
    if (name.empty()) continue;
    const auto [found, is_new] = group_of.emplace(name, groups.size());
    if (is_new) groups.push_back({name, {}});
    groups[found->second].second.push_back(i);
  }
  for (const auto& [name, members] : groups) {
    // What comes after a member cannot come before all of them.
    const std::vector<bool> after = reached(reversed(edges), members);
    std::vector<std::size_t> needs;
    for (const std::size_t member : members) {
      for (const std::size_t need : edges[member]) {
        if (!after[need]) needs.push_back(need);
      }
    }
    for (const std::size_t member : members) {
      edges[member].insert(edges[member].end(), needs.begin(), needs.end());
    }
  }
  for (std::vector<std::size_t>& needed : edges) {
    std::sort(needed.begin(), needed.end());
    needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
  }
  return edges;
}

std::vector<std::vector<std::string>> circles(const Pipeline& pipeline) {
  const Edges edges = node_edges(pipeline);
  std::vector<std::vector<std::string>> found;
  // 0 not seen, 1 on the path, 2 done.
  std::vector<int> state(edges.size());
  struct Visit {
    std::size_t node;
    std::size_t next = 0;
  };
  for (std::size_t start = 0; start < edges.size(); ++start) {
    if (state[start] != 0) continue;
    std::vector<Visit> path = {{start}};
    state[start] = 1;
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == edges[visit.node].size()) {
        state[visit.node] = 2;
        path.pop_back();
        continue;
      }
      const std::size_t next = edges[visit.node][visit.next++];
      if (state[next] == 0) {
        state[next] = 1;
        path.push_back({next});
      } else if (state[next] == 1) {
        std::vector<std::string> circle;
        auto begin = std::find_if(path.begin(), path.end(),
                                  [&](const Visit& v) { return v.node == next; });
        for (; begin != path.end(); ++begin) {
          circle.push_back(pipeline.nodes[begin->node].name);
        }
        // The nodes of a circle need each other: the first comes first.
        circle.push_back(pipeline.nodes[next].name);
        std::reverse(circle.begin(), circle.end());
        found.push_back(std::move(circle));
      }
    }
  }
  return found;
}

Result<std::vector<std::string>> execution_order(const Pipeline& pipeline) {
  const Edges needs = run_dependencies(pipeline);
  const Edges followers = reversed(needs);
  std::vector<std::size_t> waiting(needs.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    waiting[i] = needs[i].size();
    if (waiting[i] == 0) ready.push(i);
  }
  std::vector<std::string> order;
  while (!ready.empty()) {
    const std::size_t current = ready.top();
    ready.pop();
    order.push_back(pipeline.nodes[current].name);
    for (const std::size_t follower : followers[current]) {
      if (--waiting[follower] == 0) ready.push(follower);
    }
  }
  if (order.size() == pipeline.nodes.size()) return order;
  const auto found = circles(pipeline);
  return Error(ErrorCode::invalid,
               "nodes need each other in a circle: " +
                   (found.empty() ? std::string() : join(found[0], " -> ")));
}

Result<std::vector<std::string>> select_nodes(
    const Pipeline& pipeline, const std::vector<std::string>& selectors) {
  std::vector<bool> selected(pipeline.nodes.size(), selectors.empty());
  const Edges edges = node_edges(pipeline);
  const Edges followers = reversed(edges);
  for (const std::string& text : selectors) {
    const Selector selector = parse_selector(text);
    LAKEMILL_TRY(const auto found, matches(pipeline, selector.core));
    const auto add = [&](const std::vector<bool>& more) {
      for (std::size_t i = 0; i < more.size(); ++i) {
        if (more[i]) selected[i] = true;
      }
    };
    for (const std::size_t i : found) selected[i] = true;
    if (selector.upstream) add(reached(edges, found));
    if (selector.downstream) add(reached(followers, found));
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < selected.size(); ++i) {
    if (selected[i]) names.push_back(pipeline.nodes[i].name);
  }
  return names;
}

}  // namespace lakemill::language

#include "lakemill/language/target_check.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <unordered_map>

#include "lakemill/base/text.h"
#include "lakemill/language/shape_check.h"
#include "lakemill/language/streams.h"
#include "lakemill/language/written_tables.h"

namespace lakemill::language {

namespace {

constexpr std::string_view kStateFolder = "_lakemill";

std::string target_of(const Node& node, const Sink& sink) {
  switch (sink.kind) {
    case SinkKind::file:
      return sink.path.empty() ? "" : "path " + sink.path;
    case SinkKind::table: {
      if (sink.table.table.empty()) return {};
      TableName name = sink.table;
      if (name.schema.empty()) {
        constexpr std::array<std::string_view, 4> kSchemas = {"default", "bronze",
                                                              "silver", "gold"};
        name.schema = kSchemas[static_cast<std::size_t>(node.layer)];
      }
      return "table " + name.to_text();
    }
    case SinkKind::pipeline_view:
      return sink.view_name.empty() ? "" : "view " + sink.view_name;
  }
  return {};
}

class TargetCheck {
 public:
  TargetCheck(const Pipeline& pipeline, Diagnostics& diagnostics)
      : pipeline_(pipeline), diagnostics_(diagnostics) {}

  void run() {
    for (std::size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      const Node& node = pipeline_.nodes[i];
      path_ = "nodes[" + std::to_string(i) + "]";
      check_rows(node);
      check_ignore(node);
      for (const Source& source : node.sources) check_own_sink(node, source);
      for (const Sink& sink : node.sinks) {
        check_folder(sink);
        check_shared(node, sink);
      }
    }
  }

 private:
  void fault(const Location& location, const std::string& message,
             const std::string& hint) {
    diagnostics_.error(location, path_, message, hint);
  }

  void check_rows(const Node& node) {
    const bool has_rows = !node.sources.empty() || !node.steps.empty();
    if (has_rows || node.sinks.empty()) return;
    fault(node.location,
          "the node '" + node.name + "' writes, but has nothing to write",
          "give it a source, or a transformer whose first step is SQL");
  }

  // A run that leaves one sink alone would have to forget that it did.
  void check_ignore(const Node& node) {
    const auto is_written = [](const Sink& sink) { return !sink.is_quarantine; };
    if (std::count_if(node.sinks.begin(), node.sinks.end(), is_written) < 2) return;
    for (const Sink& sink : node.sinks) {
      if (sink.mode != SinkMode::ignore) continue;
      fault(sink.location,
            "mode IGNORE" + at_path(path_) +
                " is of a node with one sink, and this one has more",
            "give the sink a node of its own that reads '" + node.name + "'");
    }
  }

  void check_own_sink(const Node& node, const Source& source) {
    if (!source.reads_own_sink) return;
    const bool is_table =
        source.kind == SourceKind::table || source.format == FileFormat::delta;
    if (!is_table) {
      fault(source.location,
            "the node '" + node.name + "' reads what it writes: its own source at " +
                source.path,
            "write to another place, outside of the folders and patterns that the "
            "node's sources name");
    } else if (is_incremental(node, source)) {
      fault(source.location,
            "the node '" + node.name +
                "' reads the table that it writes as a stream, which would never end",
            "write to another table, or read it as a whole: as_stream: false");
    }
  }

  void check_folder(const Sink& sink) {
    if (!sink.place.starts_with(kPathPlace)) return;
    const std::string place = sink.place.substr(kPathPlace.size());
    const std::string folder =
        std::filesystem::path(pipeline_.folder).lexically_normal().string();
    const bool is_above = place == folder || place == "." || place == "/" ||
                          folder.starts_with(place + "/");
    if (is_above) {
      fault(sink.location,
            "the sink" + at_path(path_) + " is the folder that the pipeline is in (" +
                place + ")",
            "name a folder or a file below it");
      return;
    }
    const auto parts = split(place, '/');
    if (std::find(parts.begin(), parts.end(), kStateFolder) != parts.end()) {
      fault(sink.location,
            "the sink" + at_path(path_) + " lies in the folder " +
                std::string(kStateFolder) + ", where Lakemill keeps its own state",
            "name another folder");
    }
  }

  // Two nodes that write one place would overwrite each other.
  void check_shared(const Node& node, const Sink& sink) {
    const std::string name = target_of(node, sink);
    if (name.empty()) return;
    const auto [found, is_new] =
        targets_.emplace(sink.place.empty() ? name : sink.place, Target{&node, &sink});
    if (is_new || (sink.shared && found->second.sink->shared)) return;
    fault(sink.location,
          "the nodes '" + found->second.node->name + "' and '" + node.name +
              "' write the same place: " + name.substr(name.find(' ') + 1),
          "give each its own, or write shared: true in both sinks");
  }

  struct Target {
    const Node* node;
    const Sink* sink;
  };

  const Pipeline& pipeline_;
  Diagnostics& diagnostics_;
  std::string path_;
  std::unordered_map<std::string, Target> targets_;
};

}  // namespace

void check_targets(const Pipeline& pipeline, Diagnostics& diagnostics) {
  TargetCheck(pipeline, diagnostics).run();
}

}  // namespace lakemill::language

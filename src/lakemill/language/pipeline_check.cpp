#include "lakemill/language/pipeline_check.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "lakemill/base/text.h"
#include "lakemill/language/graph.h"
#include "lakemill/language/sql_check.h"
#include "lakemill/language/streams.h"
#include "lakemill/language/transform_check.h"

namespace lakemill::language {

namespace {

class PipelineCheck {
 public:
  PipelineCheck(const Pipeline& pipeline, const OwnFiles& own, FileReader& reader,
                Diagnostics& diagnostics)
      : pipeline_(pipeline), own_(own), reader_(reader), diagnostics_(diagnostics) {}

  void run() {
    collect_names();
    check_upstream();
    check_circles();
    check_targets(pipeline_, own_, reader_, diagnostics_);
    for (std::size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      check_transforms(pipeline_.nodes[i], path_of(i), diagnostics_);
      check_streams(pipeline_, pipeline_.nodes[i], path_of(i), diagnostics_);
    }
    check_tests();
  }

 private:
  static std::string path_of(std::size_t index) {
    return "nodes[" + std::to_string(index) + "]";
  }

  // SQL does not tell names apart that differ only in case.
  void collect_names() {
    std::unordered_map<std::string, std::size_t> in_lower_case;
    for (std::size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      const Node& node = pipeline_.nodes[i];
      if (node.name.empty()) {
        has_nameless_ = true;  // told already
        continue;
      }
      positions_.emplace(node.name, i);
      const auto [found, is_new] = in_lower_case.emplace(to_lower(node.name), i);
      if (is_new) continue;
      const Node& first = pipeline_.nodes[found->second];
      diagnostics_.error(node.location, path_of(i),
                         first.name == node.name
                             ? "two nodes are called '" + node.name + "'"
                             : "the nodes '" + first.name + "' and '" + node.name +
                                   "' differ only in case; rename one of them",
                         "the first is at " + to_text(first.location));
    }
  }

  std::string meant(const std::string& name) const {
    std::vector<std::string> known;
    for (const Node& node : pipeline_.nodes) known.push_back(node.name);
    const auto found = nearest(name, known);
    return found ? "did you mean '" + *found + "'?" : "";
  }

  void check_upstream() {
    if (has_nameless_) return;  // it may be the one that is looked for
    for (std::size_t i = 0; i < pipeline_.nodes.size(); ++i) {
      std::unordered_set<std::string> told;
      for (const Name& name : upstream_mentions(pipeline_.nodes[i])) {
        if (positions_.contains(name.text) || !told.insert(name.text).second) continue;
        diagnostics_.error(
            place_of_name(name.location, "nodes." + name.text, &reader_), path_of(i),
            "unknown node '" + name.text + "' at " + path_of(i), meant(name.text));
      }
    }
  }

  void check_circles() {
    for (const std::vector<std::string>& circle : circles(pipeline_)) {
      const auto found = positions_.find(circle[0]);
      const Location location = found == positions_.end()
                                    ? pipeline_.location
                                    : pipeline_.nodes[found->second].location;
      diagnostics_.error(location, "nodes",
                         "nodes need each other in a circle: " + join(circle, " -> "),
                         "");
    }
  }

  void check_tests() {
    const std::string test_folder =
        pipeline_.folder.empty() ? "tests/" : pipeline_.folder + "/tests/";
    for (std::size_t i = 0; i < pipeline_.tests.size(); ++i) {
      const PipelineTest& test = pipeline_.tests[i];
      const std::string path = "tests[" + std::to_string(i) + "]";
      if (test.node.empty() || has_nameless_) continue;
      const auto found = positions_.find(test.node);
      if (found == positions_.end()) {
        const std::string message = "unknown node '" + test.node + "' at " + path;
        // A file beside the pipeline may test another pipeline of the folder.
        if (test.location.file.starts_with(test_folder)) {
          diagnostics_.warning(test.location, path, message, meant(test.node));
        } else {
          diagnostics_.error(test.location, path, message, meant(test.node));
        }
        continue;
      }
      check_given(test, pipeline_.nodes[found->second], path);
    }
  }

  void check_given(const PipelineTest& test, const Node& node,
                   const std::string& path) {
    std::vector<std::string> known = upstream_of(node);
    for (std::size_t i = 0; i < node.sources.size(); ++i) {
      const Source& source = node.sources[i];
      for (const std::string& name :
           {std::to_string(i), source.name, source.table.to_text(), source.table.table,
            source.path}) {
        if (!name.empty()) known.push_back(name);
      }
    }
    for (const Expectation& expectation : node.expectations) {
      if (!expectation.to_node.empty()) known.push_back(expectation.to_node);
      if (!expectation.to_table.table.empty()) {
        known.push_back(expectation.to_table.to_text());
      }
    }
    known.emplace_back("df");
    for (const GivenRows& given : test.given) {
      if (std::find(known.begin(), known.end(), given.name) != known.end()) continue;
      const auto near = nearest(given.name, known);
      diagnostics_.error(given.rows.location, path + ".given",
                         "the node '" + node.name + "' does not read '" + given.name +
                             "', which " + path + " gives",
                         near ? "did you mean '" + *near + "'?" : "");
    }
  }

  const Pipeline& pipeline_;
  const OwnFiles& own_;
  FileReader& reader_;
  Diagnostics& diagnostics_;
  std::unordered_map<std::string, std::size_t> positions_;
  bool has_nameless_ = false;
};

}  // namespace

void check_pipeline(const Pipeline& pipeline, const OwnFiles& own, FileReader& reader,
                    Diagnostics& diagnostics) {
  PipelineCheck(pipeline, own, reader, diagnostics).run();
}

}  // namespace lakemill::language

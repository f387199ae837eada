#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lakemill/flow/node_query.h"

namespace lakemill::flow {

struct Frames;

/// A relation that a node reads: a leaf, or a view with frames of its own.
struct Frame {
  const language::Source* source = nullptr;  ///< null: only named in a step
  std::string id;
  std::size_t leaf = 0;
  const language::Node* view = nullptr;  ///< else a leaf
  std::unique_ptr<Frames> inner;
  std::optional<engine::FilesRelation> computed;  ///< of a shared view
  std::string relation;                           ///< after it is bound
};

/// All that a node reads: its sources in order, and the nodes that its steps name.
struct Frames {
  std::string prefix;
  std::vector<Frame> sources;
  std::map<std::string, Frame> nodes;
};

/// What a node reads, opened and not bound yet.
struct OpenInputs {
  Frames root;
  std::vector<Leaf> leaves;
  std::vector<std::string> defined_ids;  ///< of the leaves, by the definition of now
  std::map<std::size_t, engine::Relation> given;  ///< by leaf: what stands in for it
};

/// Opens all that `node` reads, the inputs of views included; `known` are the slices of
/// the flow's last batch, by which sources are known again that have another name now.
/// Errors: invalid, with file, line and column; denied; not_found.
Result<OpenInputs> open_inputs(const Workspace& workspace, const language::Node& node,
                               FlowState& state, Reading reading,
                               const BatchPlan* known);

/// The same where `given` stands in for all that is read: no storage is touched.
/// Errors: invalid, naming a source that `given` lacks.
Result<OpenInputs> open_inputs_over(const Workspace& workspace,
                                    const language::Node& node,
                                    const GivenRelations& given);

/// The nodes whose rows a node reads, by its sources and in its steps, each once.
std::vector<std::string> nodes_read_by(const language::Node& node);

/// The positions of the leaves that a view reads, itself or by other views.
std::vector<std::size_t> leaves_of(const Frame& view);

}  // namespace lakemill::flow

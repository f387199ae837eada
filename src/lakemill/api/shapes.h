#pragma once

#include <map>
#include <string>

#include "lakemill/app/operation.h"
#include "lakemill/base/json.h"
#include "lakemill/data/value.h"

// What the API shows, as JSON. Keys are always there; what is not known is null.

namespace lakemill::api {

OrderedJson run_json(const app::ServedRun& served);
OrderedJson runs_json(const std::vector<app::ServedRun>& runs);
OrderedJson pipeline_json(const app::ServedPipeline& served);
OrderedJson pipelines_json(const std::vector<app::ServedPipeline>& pipelines);
OrderedJson node_json(const app::NodePicture& node);

/// Rows of the event log, each as events::event_json() has it.
Json events_json(const data::Rows& rows);

/// A pipeline's nodes with what each did when it last ran.
OrderedJson graph_json(const language::Pipeline& pipeline,
                       const std::map<std::string, app::NodePicture>& nodes);

}  // namespace lakemill::api

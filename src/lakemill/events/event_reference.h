#pragma once

#include <string>

#include "lakemill/base/json.h"

namespace lakemill::events {

/// The JSON Schema (2020-12) of an event as event_json() gives it: every type with its
/// level and the members of its details.
OrderedJson event_json_schema();

/// All types by topic, for people: docs/reference/events.md.
std::string event_reference_markdown();

}  // namespace lakemill::events

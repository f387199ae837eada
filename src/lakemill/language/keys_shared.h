#pragma once

#include <span>

#include "lakemill/language/keys.h"

// What the files of the table of keys (keys.cpp, keys_operation.cpp) share.

namespace lakemill::language {

/// Of places, limits and the operation of pipelines: the second part of the table.
std::span<const ObjectSpec> operation_objects();

// clang-format off

inline constexpr std::string_view kOverlaps = "SKIP|QUEUE|CANCEL_RUNNING";

inline constexpr KeySpec kVariables{.key = "variables", .type = ValueType::any_map,
    .doc = "Variables of this object and of those in it; the inner ones win."};
inline constexpr KeySpec kEngine{.key = "engine", .type = ValueType::object,
    .doc = "Memory, threads and temporary space of the engine.", .object = "engine", .ours = true};

// Section 8, of a pipeline and of its `orchestrator: {type: LAKEMILL}`.
inline constexpr KeySpec kTriggers{.key = "triggers", .type = ValueType::object_list,
    .doc = "What starts a run.", .object = "trigger", .ours = true};
inline constexpr KeySpec kRetries{.key = "retries", .type = ValueType::object,
    .doc = "How often and after what delay a run that may succeed later is tried again.", .object = "retries", .ours = true};
inline constexpr KeySpec kTimeout{.key = "timeout", .type = ValueType::duration_or_object,
    .doc = "How long a run may take, or {run, node}.", .object = "timeout", .ours = true};
inline constexpr KeySpec kConcurrency{.key = "concurrency", .type = ValueType::choice_or_object,
    .doc = "What becomes of a run that would be one too many, or {max, overlap}.", .choices = kOverlaps, .object = "concurrency", .ours = true};
inline constexpr KeySpec kAlerts{.key = "alerts", .type = ValueType::object_list,
    .doc = "What is told to whom when something is wrong.", .object = "alert", .ours = true};
inline constexpr KeySpec kMaintenance{.key = "maintenance", .type = ValueType::object,
    .doc = "Policy for compaction, vacuum, log and state retention.", .object = "maintenance", .ours = true};

// clang-format on

}  // namespace lakemill::language

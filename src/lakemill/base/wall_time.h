#pragma once

#include <chrono>
#include <string>

namespace lakemill {

/// What a clock on some wall shows, to the microsecond. Which instant that is depends
/// on the time zone: two at the end of daylight saving, none at its beginning.
using WallTime = std::chrono::local_time<std::chrono::microseconds>;

/// "2026-01-31T23:59:59"; fractions are cut off.
std::string format_wall_time(WallTime time);

/// How far clocks are ahead of UTC: "+05:45", "-03:30", "+00:00"; with seconds where
/// there are any, as in "-00:44:30".
std::string format_offset(std::chrono::seconds offset);

}  // namespace lakemill

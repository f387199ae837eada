#pragma once

#include <map>
#include <string>
#include <vector>

#include "lakemill/language/diagnostic.h"
#include "lakemill/language/model.h"

namespace lakemill::flow {

/// reader_kwargs or writer_kwargs as an engine takes them: a list is JSON text.
std::map<std::string, std::string> file_options(
    const std::vector<language::NamedArgument>& arguments);

/// Tells of the reader_kwargs, reader_methods and writer_kwargs of raw files that no
/// reader or writer of the format knows, or that cannot be a list or mapping.
void check_file_arguments(const language::Pipeline& pipeline,
                          language::Diagnostics& diagnostics);

}  // namespace lakemill::flow

#include "lakemill/engine/file_options.h"

#include <array>
#include <span>
#include <string>
#include <vector>

#include "lakemill/base/text.h"

namespace lakemill::engine {

namespace {

struct NamedOption {
  std::string_view name;
  FileOption option;
};

constexpr std::array kCsvReader = {
    NamedOption{"delimiter", FileOption::delimiter},
    NamedOption{"sep", FileOption::delimiter},
    NamedOption{"separator", FileOption::delimiter},
    NamedOption{"quote", FileOption::quote},
    NamedOption{"quote_char", FileOption::quote},
    NamedOption{"quotechar", FileOption::quote},
    NamedOption{"escape", FileOption::escape},
    NamedOption{"escapechar", FileOption::escape},
    NamedOption{"comment", FileOption::comment},
    NamedOption{"comment_prefix", FileOption::comment},
    NamedOption{"encoding", FileOption::encoding},
    NamedOption{"charset", FileOption::encoding},
    NamedOption{"nullvalue", FileOption::null_values},
    NamedOption{"null_value", FileOption::null_values},
    NamedOption{"null_values", FileOption::null_values},
    NamedOption{"na_values", FileOption::null_values},
    NamedOption{"skip_rows", FileOption::skip_rows},
    NamedOption{"skiprows", FileOption::skip_rows},
    NamedOption{"decimal", FileOption::decimal},
    NamedOption{"compression", FileOption::compression},
    NamedOption{"max_line_size", FileOption::line_size_max},
    NamedOption{"dateformat", FileOption::date_format},
    NamedOption{"timestampformat", FileOption::timestamp_format},
    NamedOption{"header", FileOption::header},
    NamedOption{"has_header", FileOption::header},
    NamedOption{"inferschema", FileOption::infer_schema},
    NamedOption{"infer_schema", FileOption::infer_schema},
    NamedOption{"multiline", FileOption::nothing},
    NamedOption{"mode", FileOption::nothing},
};
constexpr std::array kJsonReader = {
    NamedOption{"compression", FileOption::compression},
    NamedOption{"maximum_object_size", FileOption::object_size_max},
    NamedOption{"multiline", FileOption::nothing},
    NamedOption{"lines", FileOption::nothing},
};
constexpr std::array kTextReader = {
    NamedOption{"max_line_size", FileOption::line_size_max},
    NamedOption{"encoding", FileOption::encoding},
    NamedOption{"compression", FileOption::compression},
};
constexpr std::array kParquetReader = {
    NamedOption{"mergeschema", FileOption::nothing},
};

constexpr std::array kCsvWriter = {
    NamedOption{"header", FileOption::header},
    NamedOption{"include_header", FileOption::header},
    NamedOption{"has_header", FileOption::header},
    NamedOption{"delimiter", FileOption::delimiter},
    NamedOption{"sep", FileOption::delimiter},
    NamedOption{"separator", FileOption::delimiter},
    NamedOption{"quote", FileOption::quote},
    NamedOption{"quote_char", FileOption::quote},
    NamedOption{"escape", FileOption::escape},
    NamedOption{"null_value", FileOption::null_values},
    NamedOption{"nullvalue", FileOption::null_values},
    NamedOption{"date_format", FileOption::date_format},
    NamedOption{"dateformat", FileOption::date_format},
    NamedOption{"datetime_format", FileOption::timestamp_format},
    NamedOption{"timestampformat", FileOption::timestamp_format},
    NamedOption{"compression", FileOption::compression},
};
constexpr std::array kJsonWriter = {
    NamedOption{"compression", FileOption::compression},
};
constexpr std::array kParquetWriter = {
    NamedOption{"compression", FileOption::compression},
    NamedOption{"row_group_size", FileOption::row_group_size},
};

std::span<const NamedOption> reader_options(FileFormat format) {
  switch (format) {
    case FileFormat::csv:
      return kCsvReader;
    case FileFormat::json:
    case FileFormat::jsonl:
      return kJsonReader;
    case FileFormat::text:
      return kTextReader;
    case FileFormat::parquet:
      return kParquetReader;
    case FileFormat::binaryfile:
      return {};
  }
  return {};
}

std::span<const NamedOption> writer_options(FileFormat format) {
  switch (format) {
    case FileFormat::csv:
      return kCsvWriter;
    case FileFormat::json:
    case FileFormat::jsonl:
      return kJsonWriter;
    case FileFormat::parquet:
      return kParquetWriter;
    case FileFormat::text:
    case FileFormat::binaryfile:
      return {};
  }
  return {};
}

Result<FileOption> find(std::span<const NamedOption> options, std::string_view name,
                        const std::string& who) {
  std::vector<std::string> names;
  for (const NamedOption& option : options) {
    if (equals_ignoring_case(option.name, name)) return option.option;
    names.emplace_back(option.name);
  }
  std::string message = "the " + who + " knows no option '" + std::string(name) + "'; ";
  const auto near = nearest(name, names);
  if (near) message += "did you mean '" + *near + "'? ";
  message += names.empty() ? "it has none" : "known are " + join(names, ", ");
  return Error(ErrorCode::invalid, std::move(message));
}

}  // namespace

std::string_view format_name(FileFormat format) {
  switch (format) {
    case FileFormat::csv:
      return "CSV";
    case FileFormat::json:
      return "JSON";
    case FileFormat::jsonl:
      return "JSONL";
    case FileFormat::parquet:
      return "PARQUET";
    case FileFormat::text:
      return "TEXT";
    case FileFormat::binaryfile:
      return "BINARYFILE";
  }
  return "";
}

Result<FileOption> reader_option(FileFormat format, std::string_view name) {
  return find(reader_options(format), name,
              "reader of " + std::string(format_name(format)));
}

Result<FileOption> writer_option(FileFormat format, std::string_view name) {
  return find(writer_options(format), name,
              "writer of " + std::string(format_name(format)));
}

}  // namespace lakemill::engine

#include "lakemill/flow/file_arguments.h"

#include "lakemill/base/text.h"
#include "lakemill/engine/file_options.h"
#include "lakemill/flow/source_opening.h"

namespace lakemill::flow {

namespace {

using engine::FileOption;

class Check {
 public:
  Check(std::string path, language::Diagnostics& diagnostics)
      : path_(std::move(path)), diagnostics_(diagnostics) {}

  void known(const language::Location& location, const std::string& name,
             const Result<FileOption>& option) {
    if (option) return;
    diagnostics_.error(location, path_ + "." + name,
                       option.error().message() + ", at " + path_, "");
  }

  void argument(const language::NamedArgument& argument,
                const Result<FileOption>& option, bool takes_lists) {
    known(argument.location, argument.name, option);
    if (!option || argument.value.is_scalar()) return;
    bool fits = takes_lists && argument.value.is_list();
    for (const language::Tree& item : argument.value.items) {
      fits = fits && item.is_scalar();
    }
    if (fits) return;
    diagnostics_.error(
        argument.value.location, path_ + "." + argument.name,
        "option '" + argument.name + "' cannot be " +
            std::string(kind_name(argument.value.kind)) + ", at " + path_,
        takes_lists ? "give it a text or a list of texts" : "give it one value");
  }

 private:
  std::string path_;
  language::Diagnostics& diagnostics_;
};

void check_source(const language::Source& source, const std::string& path,
                  language::Diagnostics& diagnostics) {
  if (source.kind != language::SourceKind::file ||
      source.format == language::FileFormat::delta) {
    return;
  }
  const engine::FileFormat format = engine_format(source.format);
  Check check(path + ".reader_kwargs", diagnostics);
  for (const language::NamedArgument& argument : source.reader_options) {
    const auto option = engine::reader_option(format, argument.name);
    check.argument(argument, option, option && *option == FileOption::null_values);
  }
  Check check_method(path + ".reader_methods", diagnostics);
  for (const language::MethodCall& method : source.reader_methods) {
    if (method.name != "option" || method.arguments.size() != 2) continue;
    const std::string& name = method.arguments[0].text;
    check_method.known(method.location, name, engine::reader_option(format, name));
  }
}

void check_sink(const language::Sink& sink, const std::string& path,
                language::Diagnostics& diagnostics) {
  if (sink.kind != language::SinkKind::file ||
      sink.format == language::FileFormat::delta) {
    return;
  }
  Check check(path + ".writer_kwargs", diagnostics);
  for (const language::NamedArgument& argument : sink.writer_options) {
    check.argument(argument,
                   engine::writer_option(engine_format(sink.format), argument.name),
                   false);
  }
}

std::string item(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

}  // namespace

std::map<std::string, std::string> file_options(
    const std::vector<language::NamedArgument>& arguments) {
  std::map<std::string, std::string> options;
  for (const language::NamedArgument& argument : arguments) {
    if (argument.value.is_list()) {
      OrderedJson texts = OrderedJson::array();
      for (const language::Tree& text : argument.value.items) {
        texts.push_back(text.text);
      }
      options[argument.name] = json_text(texts);
    } else {
      options[argument.name] = argument.value.text;
    }
  }
  return options;
}

void check_file_arguments(const language::Pipeline& pipeline,
                          language::Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < pipeline.nodes.size(); ++i) {
    const language::Node& node = pipeline.nodes[i];
    const std::string path = item("nodes", i);
    for (std::size_t k = 0; k < node.sources.size(); ++k) {
      check_source(node.sources[k], item(path + ".sources", k), diagnostics);
    }
    for (std::size_t k = 0; k < node.sinks.size(); ++k) {
      check_sink(node.sinks[k], item(path + ".sinks", k), diagnostics);
    }
  }
}

}  // namespace lakemill::flow

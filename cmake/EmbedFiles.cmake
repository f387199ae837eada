# lakemill_embed_files(<target> <folder> <header> <table>)
#
# Puts the files of <folder> into <target>: a function `std::span<const WebFile> <table>()`
# in namespace lakemill::api, which <header> declares, gives them with their paths below
# the folder ("/assets/x.js").
function(lakemill_embed_files target folder header table)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*)
  list(SORT files)
  if(NOT files)
    message(FATAL_ERROR "${folder} holds no files to embed")
  endif()
  set(assembly "  .section .rodata\n")
  set(externs "")
  set(rows "")
  set(number 0)
  foreach(file IN LISTS files)
    get_filename_component(ending "${file}" LAST_EXT)
    if(ending STREQUAL ".html")
      set(type "text/html; charset=utf-8")
    elseif(ending STREQUAL ".js")
      set(type "text/javascript; charset=utf-8")
    elseif(ending STREQUAL ".css")
      set(type "text/css; charset=utf-8")
    elseif(ending STREQUAL ".svg")
      set(type "image/svg+xml")
    elseif(ending STREQUAL ".json" OR ending STREQUAL ".webmanifest")
      set(type "application/json")
    else()
      message(FATAL_ERROR "${folder}/${file}: of which media type is ${ending}?")
    endif()
    set(name "lakemill_embedded_${table}_${number}")
    string(APPEND assembly
      "  .global ${name}, ${name}_end\n${name}:\n  .incbin \"${folder}/${file}\"\n${name}_end:\n")
    string(APPEND externs "extern const char ${name}[];\nextern const char ${name}_end[];\n")
    string(APPEND rows "      WebFile{\"/${file}\", \"${type}\", bytes(${name}, ${name}_end)},\n")
    math(EXPR number "${number} + 1")
    list(APPEND paths ${folder}/${file})
  endforeach()
  string(APPEND assembly "  .section .note.GNU-stack,\"\",@progbits\n")
  file(CONFIGURE OUTPUT embedded_${table}.S CONTENT "${assembly}" @ONLY)
  file(CONFIGURE OUTPUT embedded_${table}.cpp CONTENT "#include \"${header}\"

#include <array>

extern \"C\" {
${externs}}

namespace lakemill::api {

std::span<const WebFile> ${table}() {
  const auto bytes = [](const char* begin, const char* end) {
    return std::string_view(begin, static_cast<std::size_t>(end - begin));
  };
  static const std::array<WebFile, ${number}> files = {
${rows}  };
  return files;
}

}  // namespace lakemill::api
" @ONLY)
  set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/embedded_${table}.S
                              PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/embedded_${table}.S
                                   ${CMAKE_CURRENT_BINARY_DIR}/embedded_${table}.cpp)
endfunction()

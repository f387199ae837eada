# lakemill_module(<name> HEADERS ... [SOURCES ...] [TESTS ...] [DEPS ...] [PRIVATE_DEPS ...]
#                 [TESTED_BESIDE_SERVERS])
#
# One folder, one static library, one namespace. DEPS are the folders it may include
# from (tools/layers.toml holds the same list, and tools/check_layers.py checks every
# #include). PRIVATE_DEPS are third-party libraries that no header of ours shows.
function(lakemill_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "OWN_PRECOMPILED_HEADER;TESTED_BESIDE_SERVERS" "" "SOURCES;HEADERS;TESTS;DEPS;PRIVATE_DEPS;TEST_DEPS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "lakemill_module(${name}): what is ${arg_UNPARSED_ARGUMENTS}?")
  endif()
  list(TRANSFORM arg_DEPS PREPEND lakemill::)

  if(arg_SOURCES)
    set(scope PUBLIC)
    add_library(lakemill_${name} STATIC ${arg_SOURCES})
    target_link_libraries(lakemill_${name} PRIVATE lakemill_flags ${arg_PRIVATE_DEPS})
    if(LAKEMILL_PRECOMPILE AND NOT arg_OWN_PRECOMPILED_HEADER)
      target_precompile_headers(lakemill_${name} REUSE_FROM lakemill_precompiled)
    endif()
  else()
    set(scope INTERFACE)
    add_library(lakemill_${name} INTERFACE)
  endif()
  add_library(lakemill::${name} ALIAS lakemill_${name})
  target_compile_features(lakemill_${name} ${scope} cxx_std_20)
  target_link_libraries(lakemill_${name} ${scope} ${arg_DEPS})
  target_sources(lakemill_${name} ${scope} FILE_SET HEADERS
                 BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${arg_HEADERS})

  set(tested ${LAKEMILL_TEST_MODULES})
  if(arg_TESTED_BESIDE_SERVERS)  # tests/promises.cmake runs them again
    set(tested ON)
  endif()
  if(LAKEMILL_BUILD_TESTS AND arg_TESTS AND tested)
    add_executable(lakemill_${name}_test ${arg_TESTS})
    target_link_libraries(lakemill_${name}_test PRIVATE
      lakemill_${name} ${arg_TEST_DEPS} lakemill_flags GTest::gmock GTest::gtest_main)
    if(LAKEMILL_SANITIZE)
      # What is watched is the module: in matchers the checks would only cost compile time.
      target_compile_options(lakemill_${name}_test PRIVATE -fno-sanitize=undefined)
    endif()
    gtest_discover_tests(lakemill_${name}_test
      NO_PRETTY_VALUES  # some are bytes with addresses
      PROPERTIES LABELS "unit;${name}" TIMEOUT 120 DISCOVERY_TIMEOUT 60)
  endif()
endfunction()

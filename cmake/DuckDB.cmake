# DuckDB, linked statically: imports `duckdb::static`. The archives and headers are put
# into the user's cache folder by tools/fetch_parts.py, which checks their hashes.
execute_process(
  COMMAND python3 ${PROJECT_SOURCE_DIR}/tools/fetch_parts.py --print duckdb
  OUTPUT_VARIABLE LAKEMILL_DUCKDB_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE fetched)
if(NOT fetched EQUAL 0)
  message(FATAL_ERROR "DuckDB could not be fetched; see the message above")
endif()

# The generated extension loader is replaced by ours (engine_duckdb/extension_loader.cpp):
# fewer extensions start faster.
set(archives "")
foreach(name
    duckdb_static core_functions_extension parquet_extension json_extension icu_extension
    tpch_extension tpcds_extension
    duckdb_fastpforlib duckdb_fmt duckdb_fsst duckdb_hyperloglog duckdb_mbedtls
    duckdb_miniz duckdb_pg_query duckdb_re2 duckdb_skiplistlib duckdb_utf8proc
    duckdb_yyjson duckdb_zstd duckdb_jemalloc)
  set(path ${LAKEMILL_DUCKDB_ROOT}/lib/lib${name}.a)
  if(EXISTS ${path})
    list(APPEND archives ${path})
  endif()
endforeach()

add_library(lakemill_duckdb INTERFACE)
add_library(duckdb::static ALIAS lakemill_duckdb)
target_include_directories(lakemill_duckdb SYSTEM INTERFACE
  ${LAKEMILL_DUCKDB_ROOT}/include ${LAKEMILL_DUCKDB_ROOT}/extension_include)
target_compile_options(lakemill_duckdb INTERFACE -fno-gnu-unique)
target_compile_definitions(lakemill_duckdb INTERFACE DUCKDB_STATIC_BUILD)
target_link_libraries(lakemill_duckdb INTERFACE
  -Wl,--start-group ${archives} -Wl,--end-group dl pthread)

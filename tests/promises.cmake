# Scripts that drive the real binary. Each gets it as LAKEMILL_BIN; 77 means skipped.
# COST is about how long it takes: the long ones begin first, so that none is left alone.
# lakemill_script_test(<name> <script> [COST seconds] TIMEOUT seconds LABELS …
#                      [PROCESSORS n] [SERIAL])
function(lakemill_script_test name script)
  cmake_parse_arguments(PARSE_ARGV 2 arg "SERIAL" "TIMEOUT;PROCESSORS;COST" "LABELS;ARGS")
  add_test(NAME ${name}
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${arg_ARGS})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "LAKEMILL_BIN=$<TARGET_FILE:lakemill>;PYTHONDONTWRITEBYTECODE=1"
    SKIP_RETURN_CODE 77 TIMEOUT ${arg_TIMEOUT} LABELS "promise;${arg_LABELS}")
  if(arg_COST)
    set_tests_properties(${name} PROPERTIES COST ${arg_COST})
  endif()
  if(arg_PROCESSORS)
    set_tests_properties(${name} PROPERTIES PROCESSORS ${arg_PROCESSORS})
  endif()
  if(arg_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()

find_package(Python3 REQUIRED COMPONENTS Interpreter)
lakemill_script_test(conformance.golden conformance/golden.py TIMEOUT 300 LABELS conformance)
lakemill_script_test(conformance.laktory laktory/run.py TIMEOUT 120 LABELS conformance)
lakemill_script_test(interop.delta_rs interop/delta_rs.py COST 25 TIMEOUT 900 LABELS interop)
lakemill_script_test(interop.spark interop/spark.py COST 300 TIMEOUT 1800 LABELS interop)
lakemill_script_test(specs specs/run.py COST 40 TIMEOUT 600 LABELS specs)
lakemill_script_test(quality specs/quality_property.py TIMEOUT 600 LABELS "specs;property")
lakemill_script_test(exact_json specs/json_property.py TIMEOUT 600 LABELS "specs;property")
lakemill_script_test(bad_input bad_input/run.py TIMEOUT 600 LABELS bad_input)
lakemill_script_test(concurrency concurrency/two_processes.py TIMEOUT 3600 LABELS concurrency PROCESSORS 2)
lakemill_script_test(crash.sigkill crash/sigkill.py COST 50 TIMEOUT 3600 LABELS crash)
lakemill_script_test(crash.lost_events crash/lost_events.py TIMEOUT 600 LABELS crash)
lakemill_script_test(events events/run.py TIMEOUT 600 LABELS events)
lakemill_script_test(streaming.cut streaming/batch_is_stream.py COST 60 TIMEOUT 3600 LABELS streaming)
lakemill_script_test(streaming.continuous streaming/continuous.py COST 25 TIMEOUT 1800 LABELS streaming)
lakemill_script_test(schedule schedule/run.py COST 30 TIMEOUT 900 LABELS schedule PROCESSORS 2
  ARGS $<TARGET_FILE:lakemill_clock_lister>)
lakemill_script_test(lineage lineage/run.py TIMEOUT 300 LABELS lineage
  ARGS $<TARGET_FILE:lakemill_lineage_lister>)
lakemill_script_test(lineage.second_opinion lineage/second_opinion.py COST 30 TIMEOUT 600
  LABELS lineage ARGS $<TARGET_FILE:lakemill_lineage_lister>)
lakemill_script_test(web web/run.py COST 170 TIMEOUT 1800 LABELS web PROCESSORS 2)
lakemill_script_test(serve serve/run.py COST 60 TIMEOUT 1800 LABELS serve)
lakemill_script_test(replay replay/run.py COST 60 TIMEOUT 1800 LABELS "replay;crash")
# Beside a real S3 server, which the scripts start; they fail if a test is skipped.
lakemill_script_test(s3.store s3/with_server.py TIMEOUT 900 LABELS s3
  ARGS $<TARGET_FILE:lakemill_storage_test> --gtest_filter=*/s3:S3OverAServer.* --gtest_brief=1)
lakemill_script_test(s3.crash s3/with_server.py COST 45 TIMEOUT 28800 LABELS "s3;crash"
  ARGS $<TARGET_FILE:lakemill_s3_crash_test>)
lakemill_script_test(s3.run s3/run.py COST 140 TIMEOUT 3600 LABELS "s3;crash")
lakemill_script_test(spark spark/run.py COST 100 TIMEOUT 1800 LABELS spark)
lakemill_script_test(postgres postgres/run.py COST 180 TIMEOUT 1200 LABELS postgres)
lakemill_script_test(postgres.failover postgres/failover.py COST 20 TIMEOUT 900 LABELS postgres)
lakemill_script_test(postgres.guards postgres/guards.py COST 25 TIMEOUT 900 LABELS postgres)
lakemill_script_test(postgres.mirror postgres/mirror.py COST 60 TIMEOUT 7200 LABELS postgres)
lakemill_script_test(postgres.crash postgres/with_server.py COST 60 TIMEOUT 28800 LABELS "postgres;crash"
  ARGS $<TARGET_FILE:lakemill_postgres_crash_test>)

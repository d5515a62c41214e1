-- Load for wrk: posts one transaction after the other and prints one JSON line at the end.
--
-- Environment: BODIES, a file with one request body a line; DELAY_MS, the mean pause of a
-- connection between two requests, 0 for none.
--
-- wrk keeps an exact count for each microsecond of latency, from the moment a request is written.

local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local pause = tonumber(os.getenv("DELAY_MS") or "0")
local at = 0

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function init()
    math.randomseed(os.time())
    at = math.random(#bodies)
end

function request()
    at = at % #bodies + 1
    return wrk.format(nil, nil, nil, bodies[at])
end

if pause > 0 then
    -- Whole milliseconds, spread so that connections do not march in step.
    function delay() return math.random(0, 2 * pause) end
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format(
        '{"p50_ms":%.3f,"p90_ms":%.3f,"p99_ms":%.3f,"p999_ms":%.3f,"max_ms":%.3f,' ..
        '"requests":%d,"requests_per_second":%.1f,"failed_requests":%d}\n',
        latency:percentile(50) / 1000, latency:percentile(90) / 1000,
        latency:percentile(99) / 1000, latency:percentile(99.9) / 1000, latency.max / 1000,
        summary.requests, summary.requests / (summary.duration / 1e6), failed))
end

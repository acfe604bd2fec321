-- Asks for each of the paths in turn, and prints what wrk counted as one line of JSON.
local requests, position = {}, 0

-- The first argument may be pause=MS: each connection waits so long, on average, before it asks again.
function init(arguments)
  local pause = arguments[1] and arguments[1]:match('^pause=(%d+)$')
  if pause then
    -- At random, else all connections would ask at the same moment. wrk calls it only if it is there.
    delay = function() return math.random(pause / 2, pause * 3 / 2) end
  end
  for i = pause and 2 or 1, #arguments do
    requests[#requests + 1] = wrk.format('GET', arguments[i])
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  local counts = {}
  for i = 1, #latency do
    local value, count = latency(i)
    counts[i] = string.format('[%.0f,%.0f]', value, count)
  end
  io.write(string.format(
    '\n{"requests":%.0f,"bytes":%.0f,"microseconds":%.0f,"failed":%.0f,"latencies":[%s]}\n',
    summary.requests, summary.bytes, summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    table.concat(counts, ',')))
end

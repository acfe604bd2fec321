-- Asks for each of the paths in turn, and prints what wrk counted as one line of JSON.
local requests, position = {}, 0

function init(paths)
  for i = 1, #paths do
    requests[i] = wrk.format('GET', paths[i])
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

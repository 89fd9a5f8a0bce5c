-- For wrk: JSON-RPC calls of one method, a name after the other. Arguments: METHOD FILE, the file one name a line.

local body = '{"jsonrpc":"2.0","id":1,"method":"%s","params":["%s"]}'
local method, names, at = nil, {}, 0

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  method = arguments[1]
  for name in io.lines(arguments[2]) do
    names[#names + 1] = name
  end
end

function request()
  at = at % #names + 1
  return wrk.format(nil, nil, nil, body:format(method, names[at]))
end

export const RELEASE = `
--[[
  Gives the lease up if it is still this holder's. The epoch stays.

  KEYS[1]  hash of the producer, as in take-1
  ARGV[1]  holder

  Returns {1} given up, {0} it was not this holder's.
]]
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then
  return {0}
end
redis.call('HSET', KEYS[1], 'holder', '')
return {1}
`

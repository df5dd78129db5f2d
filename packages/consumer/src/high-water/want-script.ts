/**
 * Marks a lease: somebody asks its holder for it.
 *
 * KEYS[1]  `tandem:{group/topic/partition}:p`
 * ARGV[1]  owner of the lease, as it was seen
 * ARGV[2]  its token, decimal
 * ARGV[3]  who asks
 *
 * Returns 1 if it was marked, 0 if it is another's by now, or of another format.
 */
export const WANT = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'v')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] or held[3] ~= '1' then return 0 end
redis.call('HSET', KEYS[1], 'want', ARGV[3])
return 1
`

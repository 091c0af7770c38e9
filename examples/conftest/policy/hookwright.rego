# Six rules over a plan, for teams that have Open Policy Agent already:
#
#   hookwright plan --out plan.json && conftest test plan.json --policy examples/conftest/policy
#
# cases.json has a plan for each rule. Rules over what the manifest wants need no plan: docs/policies.md.
package main

import rego.v1

max_changed_shops := 50

# The changes of all shops, with their shops.
changes contains {"shop": shop.shop, "change": change} if {
	some shop in input.shops
	some change in shop.changes
}

deny contains "the plan is not for Shopify, but for another endpoint" if input.settings.endpoint != "shopify"

deny contains "the plan is incomplete: some shops could not be read" if not input.complete

deny contains msg if {
	some c in changes
	c.change.action == "delete"
	startswith(c.change.topic, "orders/")
	msg := sprintf("%s: the plan deletes %s", [c.shop, c.change.topic])
}

deny contains msg if {
	some c in changes
	c.change.reason == "unmanaged"
	msg := sprintf("%s: the plan deletes an unmanaged subscription of %s", [c.shop, c.change.topic])
}

deny contains msg if {
	some c in changes
	startswith(c.change.topic, "customers/")
	c.change.after != null
	count(c.change.after.include_fields) == 0
	msg := sprintf("%s: %s is sent with all fields", [c.shop, c.change.topic])
}

deny contains msg if {
	input.summary.shops.changed > max_changed_shops
	msg := sprintf("the plan changes %d shops, and the limit is %d", [input.summary.shops.changed, max_changed_shops])
}

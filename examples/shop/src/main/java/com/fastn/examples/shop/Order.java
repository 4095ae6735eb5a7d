package com.fastn.examples.shop;

import io.vertx.core.json.JsonObject;

/**
 * What a customer wants.
 *
 * @param customer who
 * @param item what
 * @param quantity how many
 */
record Order(String customer, String item, int quantity) {
    private static final int LONGEST_NAME = 64;
    private static final int MOST_PIECES = 100;

    Order {
        if (isNoName(customer) || isNoName(item) || quantity < 1 || quantity > MOST_PIECES) {
            throw new IllegalArgumentException(
                    "an order names customer and item, and wants 1 to " + MOST_PIECES + " pieces");
        }
    }

    /** Reads an order, and refuses one that is not whole. */
    static Order of(JsonObject json) {
        return new Order(json.getString("customer"), json.getString("item"), json.getInteger("quantity", 1));
    }

    JsonObject toJson() {
        return new JsonObject().put("customer", customer).put("item", item).put("quantity", quantity);
    }

    private static boolean isNoName(String name) {
        return name == null || name.isBlank() || name.length() > LONGEST_NAME;
    }
}

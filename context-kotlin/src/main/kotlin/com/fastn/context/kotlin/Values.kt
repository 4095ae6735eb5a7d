package com.fastn.context.kotlin

import com.fasterxml.jackson.databind.JsonNode
import com.fastn.context.FastnContext

/**
 * Gives the datum of a key as JSON, or null when there is none.
 *
 * @param key the key
 */
public operator fun FastnContext.get(key: String): JsonNode? = getData(key)

/**
 * Stores a datum; the last value of a key wins.
 *
 * @param key the key
 * @param value a String, Number, Boolean, null, List, Map or [JsonNode]; copied
 */
public operator fun FastnContext.set(key: String, value: Any?) {
    setData(key, value)
}

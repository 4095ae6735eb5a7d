/**
 * The JUnit 5 extension: {@link com.fastn.context.test.FastnContextExtension} gives each test a runtime of its own and fails
 * the test that leaves contexts open, locks held or waits for locks behind.
 */
@NullMarked
package com.fastn.context.test;

import org.jspecify.annotations.NullMarked;

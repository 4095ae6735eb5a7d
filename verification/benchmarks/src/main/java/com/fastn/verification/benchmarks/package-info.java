/** What each operation costs. One class for each row of the budgets; its methods are ours, the peers, and the limit. */
@NullMarked
package com.fastn.verification.benchmarks;

import org.jspecify.annotations.NullMarked;

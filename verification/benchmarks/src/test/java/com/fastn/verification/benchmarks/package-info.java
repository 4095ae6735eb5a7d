@NullMarked
package com.fastn.verification.benchmarks;

import org.jspecify.annotations.NullMarked;

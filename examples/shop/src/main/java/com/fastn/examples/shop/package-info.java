/**
 * A small shop on three clustered nodes.
 *
 * <p>alice takes orders over HTTP ({@code FrontVerticle}), bob keeps the stock behind a lock ({@code InventoryVerticle}), carol
 * takes the money ({@code PaymentVerticle}) and sends mails ({@code MailerVerticle}). {@code ShopNode} starts one of them,
 * {@code LoadDriver} is the customers. All that makes the shop observable is the jar on the class path and one
 * {@code StatusVerticle} per node; where the verticles name a lock, an operation or a counter, the status shows it by
 * that name.
 */
package com.fastn.examples.shop;
